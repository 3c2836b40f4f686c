/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run and prepare: the commands that take a profile and the options that bend it.
 */
#include "launcher/command/cli.h"
#include "launcher/host/claim.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/session/detach.h"
#include "launcher/session/run.h"

#define WAIT_MAX_S (7 * 24 * 3600)

typedef struct {
	gboolean dry_run, exec, detach;
	char **sets;
	char *events;
	int wait_s;
	int wait_ready_s;
} Options;

static void options_clear(Options *options)
{
	g_strfreev(options->sets);
	g_free(options->events);
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
	const char *other = options->detach	    ? "detach"
			    : options->wait_ready_s ? "wait-ready"
						    : NULL;

	if (options->wait_ready_s &&
	    !hvr_cli_seconds("run", "--wait-ready", options->wait_ready_s, error))
		return FALSE;
	if (!(options->exec && other))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "run: --exec and --%s exclude each other", other);
	return FALSE;
}

/* Somebody must say how to tell. */
static gboolean check_wait_ready(const Options *options, const HvrProfile *profile, GError **error)
{
	if (!options->wait_ready_s || profile->guest.ready != HVR_READY_NONE)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "run: --wait-ready: the profile does not say when the guest is ready");
	hvr_error_hint(error, "such as: --set guest.agent=yes --set guest.ready=agent");
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

static int run_detached(HvrContext *context, const HvrProfile *profile, HvrRunOptions *how,
			GError **error)
{
	HvrDetached child;
	int status = 0;
	int who = hvr_detach_fork(context, FALSE, &child, &how->ready_fd, error);

	if (who < 0)
		return -1;
	if (who > 0)
		return hvr_detach_wait_ready(&child, &status) ? 0 : status;
	if (hvr_run(context, profile, how, error))
		return hvr_interrupt_pending() ? 128 + hvr_interrupt_pending() : 0;
	return hvr_exit_status(error ? *error : NULL);
}

static int carry_out(HvrContext *context, const HvrProfile *profile, const Options *options,
		     GError **error)
{
	HvrRunOptions how = { .mode = options->exec ? HVR_RUN_EXEC : HVR_RUN_SUPERVISE,
			      .wait_s = options->wait_s,
			      .ready_fd = -1,
			      .wait_ready_s = options->wait_ready_s };

	if (options->dry_run)
		return hvr_run_show(context, profile, TRUE, error) ? 0 : -1;
	if (!refuse_captured(context, "run", error) || !check_wait_ready(options, profile, error))
		return -1;
	g_autoptr(HvrEvents) events =
		options->events ? hvr_events_open(options->events, profile->name, error) : NULL;
	if (options->events && !events)
		return -1;
	context->events = events;
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
		{ "wait-ready", 0, 0, G_OPTION_ARG_INT, &options.wait_ready_s,
		  "End the VM if its guest is not ready by then; --detach returns when it is",
		  "S" },
		{ "events", 0, 0, G_OPTION_ARG_STRING, &options.events,
		  "Write each step as a line of JSON to a descriptor or a file", "FD|FILE" },
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
