/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modprobe is run, not libkmod linked: it is needed once per boot at most, while libkmod brings
 * libcrypto, liblzma and libzstd into every supervisor for as long as its VM runs.
 *
 * Which modprobe it is says the kernel, in /proc/sys/kernel/modprobe, and no PATH. It gets nothing
 * of our environment, either: MODPROBE_OPTIONS can name another configuration, whose install lines
 * it would run, and those of this host's run programs by PATH.
 */
#include "vfio/module.h"

#include "compat/compat.h"
#include "vfio/error.h"
#include "vfio/tree.h"

static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", NULL };

/* Output of a modprobe that ended well; NULL when it did not, with its last words as the cause. */
static char *run_modprobe(const HvrHost *host, const char *option, const char *name,
			  HvrVfioError code, GError **error)
{
	g_autofree char *program = hvr_tree_read_line(host->proc, "sys/kernel/modprobe");
	const char *argv[] = { program, "--use-blacklist", option, "--", name, NULL };
	g_autofree char *output = NULL;
	g_autofree char *messages = NULL;
	g_autoptr(GError) cause = NULL;
	int status = 0;

	if (!program || !g_path_is_absolute(program)) {
		g_set_error(error, HVR_VFIO_ERROR, code,
			    "cannot load module %s: the kernel names no modprobe", name);
		return NULL;
	}
	if (g_spawn_sync(NULL, (char **)argv, (char **)environment, G_SPAWN_DEFAULT, NULL, NULL,
			 &output, &messages, &status, &cause) &&
	    g_spawn_check_wait_status(status, &cause))
		return g_steal_pointer(&output);
	const char *why = cause->message;
	if (messages && *g_strstrip(messages))
		why = messages;
	g_set_error(error, HVR_VFIO_ERROR, code, "cannot load module %s: %s", name, why);
	return NULL;
}

/* It says "insmod PATH OPTION..." or "builtin NAME" for every module, what is asked for last. */
static char *options_of(char *depends)
{
	g_auto(GStrv) lines = g_strsplit(g_strchomp(depends), "\n", -1);
	g_auto(GStrv) words = g_strsplit(lines[g_strv_length(lines) - 1], " ", 3);

	if (g_strv_length(words) < 3)
		return g_strdup("");
	return g_strdup(g_strchomp(words[2]));
}

char *hvr_module_find(const HvrHost *host, const char *name, GError **error)
{
	g_autofree char *depends =
		run_modprobe(host, "--show-depends", name, HVR_VFIO_ERROR_NOT_FOUND, error);

	if (!depends)
		return NULL;
	/* Of a blacklisted one nothing is said. */
	if (*depends)
		return options_of(depends);
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_FOUND,
		    "module %s is blacklisted in modprobe.d", name);
	return NULL;
}

gboolean hvr_module_load(const HvrHost *host, const char *name, GError **error)
{
	g_autofree char *output = run_modprobe(host, "--quiet", name, HVR_VFIO_ERROR_KERNEL, error);

	return output != NULL;
}
