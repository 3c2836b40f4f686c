/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test: one line in a regression rig. All that it says of itself goes to standard error, so that
 * the command's output is all that there is on standard output.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/command/help.h"
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
	char *junit, *events;
	gboolean verify, no_verify;
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

/* As the caller, and before anything is done: a report that cannot be written helps nobody. */
static int open_report(const char *path, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	HvrOpen file = { .path = path, .how = HVR_OPEN_REPLACE, .fd = -1 };

	if (!hvr_open(caller, &file, 1))
		hvr_open_fail(error, HVR_LAUNCH_ERROR_USAGE, "--junit", caller, &file);
	return file.fd;
}

static gboolean write_report(int fd, const char *suite, const GPtrArray *cases)
{
	g_autofree char *xml = hvr_junit_format(suite, cases);

	if (hvr_fd_write_all(fd, xml, strlen(xml)) && fsync(fd) == 0)
		return TRUE;
	hvr_message("the report of --junit cannot be written: %s", g_strerror(errno));
	return FALSE;
}

static int try_out(HvrContext *context, const HvrProfile *profile, Options *options, GError **error)
{
	g_autoptr(HvrEvents) events = NULL;
	g_autoptr(GPtrArray) cases = NULL;
	g_auto(HvrFd) report = -1;
	gboolean child = FALSE;

	if (options->events) {
		events = hvr_cli_events(options->events, profile->name, error);
		if (!events)
			return -1;
	}
	if (options->junit) {
		report = open_report(options->junit, error);
		if (report < 0)
			return -1;
	}
	context->events = events;
	options->how.verify = wants_verify(options, profile);
	int status = hvr_trial_run(context, profile, &options->how, &cases, &child);
	if (child || report < 0)
		return status;
	return write_report(report, profile->name, cases) || status ? status : 71;
}

static int test(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	Options *options = invocation->options;

	options->how.command = invocation->tail;
	if (!check_options(context, options, error))
		return -1;
	g_autoptr(HvrProfile) profile =
		hvr_cli_profile(context, invocation->words[0], options->sets, error);
	if (!profile)
		return -1;
	hvr_trial_bend(profile);
	return try_out(context, profile, options, error);
}

static const HvrOption table[] = {
	{ "fetch", 'f', HVR_TEXTS(Options, how.fetch), "GUESTFILE:HOSTFILE",
	  "Copy a file out of the guest when the command has ended; may be repeated" },
	{ "junit", 'j', HVR_TEXT(Options, junit), "FILE", "Write a report that CI systems read" },
	HVR_OPTION_EVENTS(Options, events),
	HVR_OPTION_SET(Options, sets),
	{ "timeout", 't', HVR_SECONDS(Options, how.timeout_s, 0, HVR_DAY_S), "S",
	  "Kill the command after this time (default: none)" },
	{ "wait-ready", 0, HVR_SECONDS(Options, how.wait_ready_s, 1, HVR_DAY_S), "S",
	  "How long the guest may take to be ready (default 300)" },
	{ "verify", 0, HVR_FLAG(Options, verify), NULL,
	  "Verify the guest first; the default where the VM gets a Hailo" },
	{ "no-verify", 0, HVR_FLAG(Options, no_verify), NULL, "Do not" },
	{ .name = NULL },
};

const HvrCommand hvr_command_test = {
	.name = "test",
	.words = "PROFILE -- CMD [ARG...]",
	.summary = "run a command in a disposable VM; its status is ours",
	.least = 1,
	.most = 1,
	.tail = TRUE,
	.options = table,
	.size = sizeof(Options),
	.defaults = &(const Options){ .how = { .wait_s = HVR_CLAIM_NO_WAIT,
					       .wait_ready_s = WAIT_READY_S } },
	.describe = hvr_help_profile_keys,
	.run = test,
};
