/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test: one line in a regression rig. All that it says of itself goes to standard error, so that
 * the command's output is all that there is on standard output.
 */
#include "launcher/command/cli.h"
#include "launcher/guest/junit.h"
#include "launcher/guest/trial.h"
#include "launcher/host/claim.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"

#define WAIT_READY_S 300
#define VENDOR_HAILO 0x1e60

typedef struct {
	HvrTrialOptions how;
	char **sets;
	char *junit, *events;
	gboolean verify, no_verify;
} Options;

static void options_clear(Options *options)
{
	g_strfreev(options->sets);
	g_strfreev(options->how.fetch);
	g_free(options->junit);
	g_free(options->events);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean bad(GError **error, const char *format, const char *what)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "test: %s%s", format, what);
	return FALSE;
}

static gboolean check_options(const HvrContext *context, const Options *options, GError **error)
{
	const HvrTrialOptions *how = &options->how;

	if (context->captured)
		return bad(error, "--root shows a captured tree, which cannot be changed", "");
	if (options->verify && options->no_verify)
		return bad(error, "--verify and --no-verify exclude each other", "");
	for (char **word = how->fetch; word && *word; word++)
		if (!hvr_trial_fetch_valid(*word))
			return bad(error, "--fetch takes /GUESTFILE:HOSTFILE, not ", *word);
	if (!how->command[0])
		return bad(error, "the command for the guest is missing: ",
			   "hailo-vm-run test PROFILE -- CMD");
	return hvr_cli_seconds("test", "--wait-ready", how->wait_ready_s, error) &&
	       (!how->timeout_s || hvr_cli_seconds("test", "--timeout", how->timeout_s, error));
}

/* Unless told otherwise: where the VM gets a Hailo. */
static gboolean wants_verify(const Options *options, const HvrProfile *profile)
{
	gboolean hailo = FALSE;

	for (guint i = 0; i < profile->devices->len; i++) {
		const HvrProfileDevice *device = g_ptr_array_index(profile->devices, i);
		hailo = hailo || (device->by == HVR_SELECT_MATCH && device->vendor == VENDOR_HAILO);
	}
	return options->verify || (hailo && !options->no_verify);
}

static gboolean write_report(const char *file, const char *suite, const GPtrArray *cases)
{
	g_autofree char *xml = hvr_junit_format(suite, cases);
	g_autoptr(GError) error = NULL;

	if (g_file_set_contents(file, xml, -1, &error))
		return TRUE;
	hvr_message_error(error);
	return FALSE;
}

static int test(HvrContext *context, const HvrProfile *profile, Options *options, GError **error)
{
	g_autoptr(HvrEvents) events =
		options->events ? hvr_events_open(options->events, profile->name, error) : NULL;
	g_autoptr(GPtrArray) cases = NULL;
	gboolean child = FALSE;

	if (options->events && !events)
		return -1;
	context->events = events;
	options->how.verify = wants_verify(options, profile);
	int status = hvr_trial_run(context, profile, &options->how, &cases, &child);
	if (child || !options->junit)
		return status;
	return write_report(options->junit, profile->name, cases) || status ? status : 71;
}

int hvr_command_test(HvrContext *context, char **words, GError **error)
{
	g_auto(Options)
		options = { .how = { .wait_s = HVR_CLAIM_NO_WAIT, .wait_ready_s = WAIT_READY_S } };
	const GOptionEntry entries[] = {
		{ "fetch", 'f', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.how.fetch,
		  "Copy a file out of the guest when the command has ended; may be repeated",
		  "GUESTFILE:HOSTFILE" },
		{ "junit", 'j', 0, G_OPTION_ARG_FILENAME, &options.junit,
		  "Write a report that CI systems read", "FILE" },
		{ "events", 0, 0, G_OPTION_ARG_STRING, &options.events,
		  "Write each step as a line of JSON to a descriptor or a file", "FD|FILE" },
		{ "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &options.sets,
		  "Override one key of the profile; may be repeated", "SECTION.KEY=VALUE" },
		{ "timeout", 't', 0, G_OPTION_ARG_INT, &options.how.timeout_s,
		  "Kill the command after this time (default: none)", "S" },
		{ "wait-ready", 0, 0, G_OPTION_ARG_INT, &options.how.wait_ready_s,
		  "How long the guest may take to be ready (default 300)", "S" },
		{ "verify", 0, 0, G_OPTION_ARG_NONE, &options.verify,
		  "Verify the guest first; the default where the VM gets a Hailo", NULL },
		{ "no-verify", 0, 0, G_OPTION_ARG_NONE, &options.no_verify, "Do not", NULL },
		G_OPTION_ENTRY_NULL,
	};
	g_auto(GStrv) rest = g_strdupv(words);
	HvrCli cli = hvr_cli_parse("test", entries, NULL, &rest, 1, G_MAXUINT, error);

	if (cli != HVR_CLI_GO)
		return cli == HVR_CLI_HELP ? 0 : -1;
	options.how.command = rest + 1 + (g_strcmp0(rest[1], "--") == 0);
	if (!check_options(context, &options, error))
		return -1;
	g_autoptr(HvrProfile) profile = hvr_cli_profile(context, rest[0], options.sets, error);
	if (!profile)
		return -1;
	hvr_trial_bend(profile);
	return test(context, profile, &options, error);
}
