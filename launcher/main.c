/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hailo-vm-run: the program around the libraries.
 *
 * This is the one file that names places of the host: everything else works below the descriptors
 * that are opened here. In a privileged process no environment variable decides a path, and most of
 * them are gone before anything reads them.
 */
#include <fcntl.h>
#include <linux/close_range.h>
#include <locale.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/command/complete.h"
#include "launcher/command/dispatch.h"
#include "launcher/command/help.h"
#include "launcher/process/environment.h"
#include "launcher/process/interrupt.h"
#include "launcher/process/privileges.h"
#include "launcher/report/debug.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/runtime/home.h"
#include "launcher/runtime/job.h"

#define DIR_SYS		  "/sys"
#define DIR_DEV		  "/dev"
#define DIR_PROC	  "/proc"
#define DIR_RUN		  "/run"
#define DIR_CACHE	  "/var/cache"
#define DIR_SYSTEM_CONFIG "/etc/hailo-vm-run"
#define DIR_ROOT	  "/"
/* Where QEMU's helper for bridges, too, reads who may use which. */
#define FILE_BRIDGES "/etc/qemu/bridge.conf"

/* Where QEMU's firmware descriptors are: the administrator's, then the distribution's. */
static const char *const firmware_folders[] = { "/etc/qemu/firmware", "/usr/share/qemu/firmware",
						NULL };
/* The same of what serves devices from outside QEMU. */
static const char *const vhost_user_folders[] = { "/etc/qemu/vhost-user",
						  "/usr/share/qemu/vhost-user", NULL };

static int open_folder(const char *root, const char *path)
{
	g_autofree char *full = g_strconcat(root, path, NULL);
	return open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void find_runtime(HvrContext *context, const char *root)
{
	HvrHome home;

	if (context->captured || context->privileged) {
		context->runtime_parent = open_folder(root, DIR_RUN);
		context->runtime_path = DIR_RUN "/hailo-vm-run";
	} else if (hvr_home_find(g_getenv("XDG_RUNTIME_DIR"), context->host.run, DIR_RUN, &home)) {
		context->runtime_parent = home.parent;
		context->runtime_name = home.name;
		context->runtime_path = home.path;
	}
}

/* The first that is set counts, also if nothing is in it. Of another host they say nothing. */
static void find_cards(HvrContext *context)
{
	static const char *const variables[] = { HVR_CARDS_VARIABLE, "SLURM_STEP_GPUS",
						 "SLURM_JOB_GPUS" };

	for (guint i = 0; i < G_N_ELEMENTS(variables) && !context->cards; i++) {
		context->cards = context->captured ? NULL : g_getenv(variables[i]);
		context->cards_variable = variables[i];
	}
}

static void tell_slow(const char *text)
{
	hvr_message("%s", text);
}

/* As long as the process: the context is on a stack. */
static char *job;

static gboolean make_context(HvrContext *context, const char *root, GError **error)
{
	const char *prefix = root ? root : "";

	*context = (HvrContext){ .runtime = -1, .runtime_parent = -1, .captured = root != NULL };
	context->privileged = geteuid() == 0;
	context->memlock_max = hvr_privileges_memlock_max();
	context->host = (HvrHost){ .sys = open_folder(prefix, DIR_SYS),
				   .dev = open_folder(prefix, DIR_DEV),
				   .proc = open_folder(prefix, DIR_PROC),
				   .run = open_folder(prefix, DIR_RUN),
				   .root = open_folder(prefix, DIR_ROOT),
				   .kernel = &hvr_kernel_linux,
				   .tell = tell_slow };
	context->system_config = DIR_SYSTEM_CONFIG;
	context->bridge_conf = FILE_BRIDGES;
	context->system_root = root ? NULL : DIR_ROOT;
	context->firmware_folders = firmware_folders;
	context->vhost_user_folders = vhost_user_folders;
	context->config_home = context->privileged ? NULL : g_get_user_config_dir();
	context->cache = context->privileged ? DIR_CACHE : g_get_user_cache_dir();
	if (root)
		context->cache = NULL;
	context->runtime_path = "";
	find_runtime(context, prefix);
	find_cards(context);
	if (!hvr_job_find(&job, error))
		return FALSE;
	context->job = job;
	if (context->host.sys >= 0 && (root || (context->host.dev >= 0 && context->host.proc >= 0)))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    root ? "--root %s: there is no %s in it" : "%s%s cannot be opened", prefix,
		    DIR_SYS);
	return FALSE;
}

/* Whatever our caller left open is not for our children. */
static void close_inherited(void)
{
	syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* 0, 1 and 2 are taken, so that no file of ours is ever taken for one of them. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

typedef struct {
	const char *root; /* NULL: this host */
	gboolean debug;
} Global;

/* Options in front of the command. Returns the number of words they took, or -1. */
static int parse_global(char **words, Global *out_global, GError **error)
{
	int n = 0;

	for (;; n++) {
		if (g_strcmp0(words[n], "--debug") == 0) {
			out_global->debug = TRUE;
		} else if (words[n] && g_str_has_prefix(words[n], "--root=")) {
			out_global->root = words[n] + strlen("--root=");
		} else if (g_strcmp0(words[n], "--root") != 0) {
			return n;
		} else if (words[n + 1]) {
			out_global->root = words[++n];
		} else {
			g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
				    "--root takes a folder");
			return -1;
		}
	}
}

/* For the shells, which want candidates or nothing: no mistake is told. */
static int complete(char **words)
{
	HvrContext context;
	Global global = { .root = NULL };
	int n = parse_global(words, &global, NULL);

	make_context(&context, global.root, NULL);
	g_autofree char *candidates = hvr_complete(&context, words + MAX(n, 0));
	fputs(candidates, stdout);
	return 0;
}

/* @out_ours: of hvr_exit_settle() */
static int run(char **words, int *out_ours, GError **error)
{
	HvrContext context;
	Global global = { .root = NULL };
	int n = parse_global(words, &global, error);

	if (n < 0)
		return -1;
	words += n;
	*out_ours = hvr_dispatch_status_of_ours(words[0]);
	hvr_debug_init(global.debug);
	if (g_strcmp0(words[0], "--version") == 0) {
		printf("hailo-vm-run %s\n", HVR_VERSION);
		return 0;
	}
	if (g_strcmp0(words[0], "--complete") == 0)
		return complete(words + 1);
	if (g_strcmp0(words[0], "--help") == 0 || g_strcmp0(words[0], "-h") == 0) {
		hvr_help_program();
		return 0;
	}
	if (!words[0]) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "a command or a PROFILE is missing");
		hvr_error_hint(error, "try 'hailo-vm-run --help'");
		return -1;
	}
	return make_context(&context, global.root, error) ? hvr_dispatch(&context, words, error)
							  : -1;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	int ours = 0;

	if (geteuid() == 0)
		hvr_environment_clean();
	fill_standard_descriptors();
	close_inherited();
	setlocale(LC_CTYPE, "");
	umask(077);
	hvr_interrupt_init();
	g_set_prgname("hailo-vm-run");

	int status = run(argv + (argc > 0), &ours, &error);
	status = hvr_exit_settle(status, ours, &error);
	if (error)
		hvr_message_error(error);
	if (hvr_interrupt_pending())
		status = 128 + hvr_interrupt_pending();
	if (fflush(stdout) != 0 && status == 0)
		status = ours ? ours : 71;
	return status;
}
