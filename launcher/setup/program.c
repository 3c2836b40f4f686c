/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of the system that is set up: found in a few folders that only root can write, run
 * without a shell, in an environment of our making. Those of another system are confined, unless
 * the user trusts them as this host's own.
 */
#include "launcher/setup/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat/compat.h"
#include "launcher/report/error.h"
#include "launcher/setup/confine.h"

/* For one program: dracut makes an initramfs in minutes, on slow machines and for several kernels.
 */
#define TIMEOUT_MS (30 * 60 * 1000)

static const char *const folders[] = { "usr/local/sbin", "usr/local/bin", "usr/sbin",
				       "usr/bin",	 "sbin",	  "bin" };

static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
	"LC_ALL=C.UTF-8", NULL
};

static char *find_program(int target, const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *path = g_build_filename(folders[i], name, NULL);
		if (faccessat(target, path, X_OK, AT_EACCESS) == 0)
			return g_strconcat("/", path, NULL);
	}
	return NULL;
}

static gboolean find(int target, const char *name, GError **error)
{
	g_autofree char *path = find_program(target, name);

	if (path)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "the program '%s' is not there", name);
	hvr_error_hint(error, "install it, or choose the other parts of setup by name");
	return FALSE;
}

/* Runs between fork and exec. -1: the root is as it should be. */
static void prepare_child(gpointer data)
{
	int target = GPOINTER_TO_INT(data);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	umask(022);
	if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(127);
	if (target >= 0 && (fchdir(target) < 0 || chroot(".") < 0 || chdir("/") < 0))
		_exit(127);
}

/* In words of our own: GLib's have typographic quotes. */
static const char *why_not_started(const GError *cause)
{
	switch (cause->code) {
	case G_SPAWN_ERROR_ACCES:
		return g_strerror(EACCES);
	case G_SPAWN_ERROR_NOENT:
		return g_strerror(ENOENT);
	case G_SPAWN_ERROR_NOEXEC: /* of another machine, as in its image */
		return g_strerror(ENOEXEC);
	default:
		return "it cannot be started";
	}
}

/* @words: argv with the program's path. As @root: -1: this host's */
static gboolean run_unconfined(int root, char **words, const char *line, GError **error)
{
	g_autoptr(GError) cause = NULL;
	const char *problem = NULL;
	int status = 0;

	if (!g_spawn_sync(NULL, words, (char **)environment, G_SPAWN_DEFAULT, prepare_child,
			  GINT_TO_POINTER(root), NULL, NULL, &status, &cause))
		problem = why_not_started(cause);
	else if (!g_spawn_check_wait_status(status, &cause))
		problem = cause->message;
	if (!problem)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "'%s' failed: %s", line,
		    problem);
	return FALSE;
}

static gboolean run_confined(int target, char **words, GError **error)
{
	const HvrConfined confined = { .target = target,
				       .argv = (const char *const *)words,
				       .environment = environment,
				       .timeout_ms = TIMEOUT_MS };

	if (hvr_confine_run(&confined, error))
		return TRUE;
	hvr_error_hint(error, "it was confined, without this host's devices: boot that system and "
			      "run 'hailo-vm-run setup' there, or say --trust if it is trusted as "
			      "this host is");
	return FALSE;
}

static gboolean run(int target, HvrSetupWay way, char **argv, GError **error)
{
	g_auto(GStrv) words = g_strdupv(argv);
	g_autofree char *line = g_strjoinv(" ", argv);
	g_autofree char *path = find_program(target, argv[0]);

	if (!path)
		return find(target, argv[0], error);
	g_free(words[0]);
	words[0] = g_steal_pointer(&path);
	switch (way) {
	case HVR_SETUP_HERE:
		return run_unconfined(-1, words, line, error);
	case HVR_SETUP_CONFINED:
		return run_confined(target, words, error);
	case HVR_SETUP_TRUSTED:
		return run_unconfined(target, words, line, error);
	}
	g_return_val_if_reached(FALSE);
}

const HvrSetupRunner hvr_setup_runner = { .find = find, .run = run };
