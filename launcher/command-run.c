/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run and prepare: the commands that take a profile and the options that bend it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/claim.h"
#include "launcher/cli.h"
#include "launcher/error.h"
#include "launcher/interrupt.h"
#include "launcher/message.h"
#include "launcher/run.h"
#include "vfio/sysfs.h"

#define WAIT_MAX_S (7 * 24 * 3600)

typedef struct {
	gboolean dry_run, exec, detach;
	char **sets;
	int wait_s;
} Options;

static void options_clear(Options *options)
{
	g_strfreev(options->sets);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* "--wait" for ever, "--wait=S" for S seconds. GLib hands the group's data to a callback. */
static gboolean parse_wait(const char *name, const char *value, gpointer data, GError **error)
{
	Options *options = data;
	gint64 seconds = 0;

	if (!value)
		return options->wait_s = HVR_CLAIM_FOREVER, TRUE;
	if (!g_ascii_string_to_signed(value, 10, 1, WAIT_MAX_S, &seconds, NULL)) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			    "--wait takes a number of seconds, not '%s'", value);
		return FALSE;
	}
	return options->wait_s = (int)seconds, TRUE;
}

/* Must not both be: a launcher that is QEMU cannot also stay, or step back. */
static gboolean check_options(const Options *options, GError **error)
{
	if (!(options->exec && options->detach))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "run: --exec and --detach exclude each other");
	return FALSE;
}

static gboolean refuse_captured(const HvrContext *context, const char *command, GError **error)
{
	if (!context->captured)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "%s: --root shows a captured tree, which cannot be changed", command);
	hvr_error_hint(error, "with --root use list, check, print or run --dry-run");
	return FALSE;
}

/* The parent's part of --detach: wait until the VM runs, or for the reason why it does not. */
static int wait_for_child(pid_t pid, int ready_fd)
{
	char ready = 0;
	int status = 0;

	if (read(ready_fd, &ready, 1) == 1)
		return 0;
	while (waitpid(pid, &status, 0) < 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The child's part: a session of its own, and nothing of the caller's terminal. */
static void leave_terminal(const HvrContext *context)
{
	g_auto(HvrFd) null = hvr_open_beneath(context->host.dev, "null", O_RDWR);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
}

static int run_detached(HvrContext *context, const HvrProfile *profile, HvrRunOptions *how,
			GError **error)
{
	int ready[2];

	if (pipe2(ready, O_CLOEXEC) < 0)
		return 70;
	pid_t pid = fork();
	if (pid > 0) {
		close(ready[1]);
		return wait_for_child(pid, ready[0]);
	}
	close(ready[0]);
	leave_terminal(context);
	how->ready_fd = ready[1];
	if (hvr_run(context, profile, how, error))
		return hvr_interrupt_pending() ? 128 + hvr_interrupt_pending() : 0;
	return hvr_exit_status(error ? *error : NULL);
}

static int carry_out(HvrContext *context, const HvrProfile *profile, const Options *options,
		     GError **error)
{
	HvrRunOptions how = { .mode = options->exec ? HVR_RUN_EXEC : HVR_RUN_SUPERVISE,
			      .wait_s = options->wait_s,
			      .ready_fd = -1 };

	if (options->dry_run)
		return hvr_run_show(context, profile, TRUE, error) ? 0 : -1;
	if (!refuse_captured(context, "run", error))
		return -1;
	if (options->detach)
		return run_detached(context, profile, &how, error);
	return hvr_run(context, profile, &how, error) ? 0 : -1;
}

#define OPTION_SET(options)                                                                        \
	{                                                                                          \
		"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &(options).sets,                         \
			"Override one key of the profile; may be repeated", "SECTION.KEY=VALUE"    \
	}
#define OPTION_WAIT                                                                                \
	{                                                                                          \
		"wait", 'w', G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK, parse_wait,        \
			"Wait for a busy device, for S seconds or for ever", "S"                   \
	}

int hvr_command_run(HvrContext *context, char **words, GError **error)
{
	g_auto(Options) options = { 0 };
	const GOptionEntry entries[] = {
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &options.dry_run,
		  "Show every change to the host and QEMU's command line; change nothing", NULL },
		{ "exec", 0, 0, G_OPTION_ARG_NONE, &options.exec,
		  "Become QEMU; `release` gives the cards back", NULL },
		{ "detach", 'd', 0, G_OPTION_ARG_NONE, &options.detach,
		  "Return when the VM runs; the supervisor stays behind", NULL },
		OPTION_SET(options),
		OPTION_WAIT,
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("run", entries, &options, &rest, 1, 1, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	g_autoptr(HvrProfile) profile =
		check_options(&options, error)
			? hvr_cli_profile(context, rest[0], options.sets, error)
			: NULL;
	return profile ? carry_out(context, profile, &options, error) : -1;
}

int hvr_command_prepare(HvrContext *context, char **words, GError **error)
{
	g_auto(Options) options = { 0 };
	const GOptionEntry entries[] = {
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &options.dry_run,
		  "Show every change to the host; change nothing", NULL },
		OPTION_SET(options),
		OPTION_WAIT,
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("prepare", entries, &options, &rest, 1, 1, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	g_autoptr(HvrProfile) profile = hvr_cli_profile(context, rest[0], options.sets, error);
	if (!profile)
		return -1;
	if (options.dry_run)
		return hvr_run_show(context, profile, TRUE, error) ? 0 : -1;
	HvrRunOptions how = { HVR_RUN_PREPARE, options.wait_s, -1 };
	return refuse_captured(context, "prepare", error) && hvr_run(context, profile, &how, error)
		       ? 0
		       : -1;
}
