/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test: one line in a regression rig. All that it says of itself goes to standard error, so that
 * the command's output is all that there is on standard output.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/command/help.h"
#include "launcher/guest/input.h"
#include "launcher/guest/junit.h"
#include "launcher/guest/trial.h"
#include "launcher/host/claim.h"
#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

#define WAIT_READY_S 300
#define VENDOR_HAILO 0x1e60

typedef struct {
	HvrTrialOptions how;
	char **sets;
	char *name, *junit, *result, *events;
	gboolean verify, no_verify, no_input;
} Options;

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
	return TRUE;
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

/* As the caller, and before anything is done: a report that cannot be written helps nobody.
 * @path: (nullable): nobody asked. FALSE: it cannot be written */
static gboolean open_report(const char *option, const char *path, int *out_fd, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	HvrOpen file = { .path = path, .how = HVR_OPEN_REPLACE, .fd = -1 };

	if (path && !hvr_open(caller, &file, 1))
		hvr_open_fail(error, HVR_LAUNCH_ERROR_USAGE, option, caller, &file);
	*out_fd = file.fd;
	return !path || file.fd >= 0;
}

static gboolean write_report(int fd, const char *option, const char *text)
{
	if (fd < 0 || (hvr_fd_write_all(fd, text, strlen(text)) && fsync(fd) == 0))
		return TRUE;
	hvr_message("the report of %s cannot be written: %s", option, g_strerror(errno));
	return FALSE;
}

/* Where to is open since before the start. */
typedef struct {
	HvrEvents *events;
	int junit, result;
} Reports;

static void reports_close(Reports *reports)
{
	hvr_events_free(reports->events);
	hvr_fd_close(reports->junit);
	hvr_fd_close(reports->result);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reports, reports_close)

static gboolean reports_open(Reports *reports, const Options *options, const char *vm,
			     GError **error)
{
	if (options->events)
		reports->events = hvr_cli_events(options->events, vm, error);
	return (reports->events || !options->events) &&
	       open_report("--junit", options->junit, &reports->junit, error) &&
	       open_report("--result", options->result, &reports->result, error);
}

/* The exit status, after all who asked know of it. */
static int report(const Reports *reports, const HvrTrialReport *trial, const char *suite)
{
	g_autofree char *xml = hvr_junit_format(suite, trial->cases);
	g_autofree char *json = hvr_outcome_to_json(&trial->outcome);
	gboolean written = write_report(reports->junit, "--junit", xml);

	written = write_report(reports->result, "--result", json) && written;
	hvr_outcome_tell(&trial->outcome, reports->events);
	if (trial->outcome.code == 0 && !written)
		return HVR_EXIT_NOT_JUDGED;
	return trial->outcome.code;
}

static int try_out(HvrContext *context, HvrProfile *profile, Options *options, GError **error)
{
	g_autoptr(HvrLock) lock = NULL;
	g_auto(Reports) reports = { .junit = -1, .result = -1 };
	g_autoptr(GByteArray) input = NULL;

	if (!hvr_cli_make_name(context, profile, &lock, error))
		return -1;
	if (!reports_open(&reports, options, profile->name, error))
		return -1;
	/* Nor does anybody wait with a card in their hands for an input that is slow, or too long.
	 */
	if (!options->no_input) {
		input = hvr_guest_input_read(error);
		if (!input)
			return -1;
	}
	g_auto(HvrTrialReport) trial = { .child = FALSE };
	context->events = reports.events;
	options->how.input = input;
	options->how.verify = wants_verify(options, profile);
	options->how.vm_lock = g_steal_pointer(&lock);
	hvr_trial_run(context, profile, &options->how, &trial);
	context->events = NULL;
	return trial.child ? trial.child_status : report(&reports, &trial, profile->stem);
}

static int test(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	Options *options = invocation->options;

	options->how.command = invocation->tail;
	if (!check_options(context, options, error))
		return -1;
	g_autoptr(HvrProfile) profile = hvr_cli_profile_named(context, invocation->words[0],
							      options->sets, options->name, error);
	if (!profile)
		return -1;
	/* A name in the profile is what all of its tests have in common. */
	if (!options->name && !hvr_cli_sets_name(options->sets))
		profile->name_auto = TRUE;
	hvr_trial_bend(profile);
	return try_out(context, profile, options, error);
}

static const HvrOption table[] = {
	{ "fetch", 'f', HVR_TEXTS(Options, how.fetch), "GUESTFILE:HOSTFILE",
	  "Copy a file out of the guest when the command has ended; may be repeated" },
	{ "junit", 'j', HVR_TEXT(Options, junit), "FILE", "Write a report that CI systems read" },
	{ "result", 'r', HVR_TEXT(Options, result), "FILE",
	  "Write what it came to, and whose fault it is, as one JSON object" },
	HVR_OPTION_NAME(Options, name),
	HVR_OPTION_EVENTS(Options, events),
	HVR_OPTION_SET(Options, sets),
	{ "timeout", 't', HVR_SECONDS(Options, how.timeout_s, 0, HVR_DAY_S), "S",
	  "Kill the command after this time (default: none)" },
	{ "wait-ready", 0, HVR_SECONDS(Options, how.wait_ready_s, 1, HVR_DAY_S), "S",
	  "How long the guest may take to be ready (default 300)" },
	{ "verify", 0, HVR_FLAG(Options, verify), NULL,
	  "Verify the guest first; the default where the VM gets a Hailo" },
	{ "no-verify", 0, HVR_FLAG(Options, no_verify), NULL, "Do not" },
	{ "no-input", 'n', HVR_FLAG(Options, no_input), NULL, "Do not read the standard input" },
	{ .name = NULL },
};

static void describe(void)
{
	hvr_help_command_status();
	printf("\n");
	hvr_help_profile_keys();
}

const HvrCommand hvr_command_test = {
	.name = "test",
	.words = "PROFILE -- CMD [ARG...]",
	.summary = "run a command in a disposable VM; its status is ours",
	.least = 1,
	.most = 1,
	.tail = TRUE,
	.of_command = TRUE,
	.options = table,
	.size = sizeof(Options),
	.defaults = &(const Options){ .how = { .wait_s = HVR_CLAIM_NO_WAIT,
					       .wait_ready_s = WAIT_READY_S } },
	.describe = describe,
	.run = test,
};
