/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test: one line in a regression rig. All that it says of itself goes to standard error, so that
 * the command's output is all that there is on standard output.
 */
#include <stdio.h>
#include <string.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/command/guest-options.h"
#include "launcher/command/help.h"
#include "launcher/command/table.h"
#include "launcher/command/test-matrix.h"
#include "launcher/guest/input.h"
#include "launcher/guest/rig.h"
#include "launcher/guest/trial.h"
#include "launcher/host/claim.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "vfio/fd.h"

#define WAIT_READY_S 300
#define RETRIES_MAX  100
#define JOBS_MAX     10000
#define VENDOR_HAILO 0x1e60

typedef struct {
	HvrTrialOptions how;
	HvrProfileChanges changes;
	char *name, *junit, *result, *events, *artifacts;
	gboolean verify, no_verify, no_input, warm;
	char *matrix;
	gboolean list;
	int job;	    /* of the matrix; 0: all */
	gboolean of_matrix; /* it is one of its jobs */
} Options;

/* clang-format off */
#define OPTIONS_DEFAULTS { .how = { .wait_s = HVR_CLAIM_NO_WAIT, .wait_ready_s = WAIT_READY_S } }
/* clang-format on */

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
	if (!hvr_guest_options_check(&how->guest, "test", error))
		return FALSE;
	if (!how->command[0] && !how->guest.script)
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

/* A report that cannot be written helps nobody, so that is known before anything is done. */
static gboolean open_reports(HvrRig *rig, HvrRigJob *job, const Options *options, GError **error)
{
	HvrReportFiles *files = &rig->files;
	int *kept = job->artifacts.fds;

	if (options->events)
		files->events = hvr_cli_events(options->events, NULL, error);
	else
		files->events = hvr_events_new(-1, NULL);
	if (!files->events ||
	    !hvr_report_files_open(files, options->junit, options->result, error) ||
	    !hvr_artifacts_open(&job->artifacts, options->matrix ? NULL : options->artifacts,
				error))
		return FALSE;
	files->junit[1] = g_steal_fd(&kept[HVR_ARTIFACT_JUNIT]);
	files->result[1] = g_steal_fd(&kept[HVR_ARTIFACT_RESULT]);
	hvr_events_copy(files->events, kept[HVR_ARTIFACT_EVENTS]);
	return TRUE;
}

/* All that can go wrong before there is a VM. @out_step: which part of it did */
static HvrProfile *get_ready(HvrContext *context, const HvrInvocation *invocation,
			     const char **out_step, GError **error)
{
	Options *options = invocation->options;

	options->how.command = invocation->tail;
	options->how.command_input = -1;
	*out_step = "options";
	if (!check_options(context, options, error) ||
	    !hvr_trial_fetch_check(options->how.fetch, error))
		return NULL;
	*out_step = "profile";
	g_autoptr(HvrProfile) profile = hvr_cli_profile_named(
		context, invocation->words[0], &options->changes, options->name, error);
	if (!profile)
		return NULL;
	/* A name in the profile is what all of its tests have in common. */
	if (!options->name && !hvr_cli_sets_name(&options->changes))
		profile->name_auto = TRUE;
	hvr_trial_bend(profile);
	if (options->warm && profile->warm == HVR_WARM_NO)
		profile->warm = HVR_WARM_AUTO;
	options->how.verify = wants_verify(options, profile);
	/* Nor does anybody wait with a card in their hands for an input that is slow. */
	*out_step = "input";
	options->how.puts = hvr_guest_options_open(&options->how.guest, error);
	if (!options->how.puts ||
	    (!options->no_input && !hvr_guest_input_keep(&options->how.command_input, error)))
		return NULL;
	*out_step = "name";
	if (!hvr_cli_make_name(context, profile, &options->how.vm_lock, error))
		return NULL;
	return g_steal_pointer(&profile);
}

static void let_go(HvrTrialOptions *how)
{
	hvr_fd_close(g_steal_fd(&how->command_input));
	g_clear_pointer(&how->puts, g_ptr_array_unref);
}

/* FALSE: this is the child that was the VM's supervisor. */
static gboolean try_out(HvrContext *context, const HvrInvocation *invocation, HvrRig *rig,
			HvrRigJob *job)
{
	Options *options = invocation->options;
	const char *step = NULL;
	GError *error = NULL;
	g_autoptr(HvrProfile) profile = get_ready(context, invocation, &step, &error);

	if (!profile) {
		let_go(&options->how);
		hvr_rig_fail(rig, job, step, error);
		return TRUE;
	}
	if (!options->of_matrix)
		hvr_rig_name(job, profile->stem);
	hvr_events_set_vm(rig->files.events, profile->name);
	context->events = rig->files.events;
	options->how.artifacts = &job->artifacts;
	options->how.told = hvr_rig_told;
	options->how.forked = hvr_rig_forked;
	options->how.user_data = rig;
	hvr_trial_run(context, profile, &options->how, &job->trial);
	context->events = NULL;
	let_go(&options->how);
	if (job->trial.child)
		return FALSE;
	hvr_rig_ended(rig, job);
	return TRUE;
}

/* What a job of a matrix cannot have for itself: the input is none's, the reports are those of all.
 */
static gboolean check_job(const HvrInvocation *invocation, GError **error)
{
	Options *options = invocation->options;

	if (options->junit || options->result || options->events || options->artifacts ||
	    options->matrix || options->list || options->job)
		return bad(error, "reports are those of the whole matrix", "");
	options->no_input = TRUE;
	options->of_matrix = TRUE;
	if (invocation->words[0])
		return TRUE;
	return bad(error, "the profile is missing", "");
}

/* The options that are the matrix's own, and go with it. */
static gboolean is_of_matrix(const HvrOption *option)
{
	static const char *const names[] = { "matrix", "list",	 "job",	      "junit",
					     "result", "events", "artifacts", NULL };

	return g_strv_contains(names, option->name);
}

static gboolean is_given(const Options *options, const HvrOptionField *field)
{
	static const Options none = OPTIONS_DEFAULTS;
	const char *value = (const char *)options + field->offset;
	const char *missing = (const char *)&none + field->offset;

	if (field->kind == HVR_OPTION_FLAG || field->kind == HVR_OPTION_SECONDS)
		return *(const int *)value != *(const int *)missing;
	return *(void *const *)value != NULL;
}

/* What is said of how to test is said in the file, of each job. */
static gboolean check_matrix(const HvrInvocation *invocation, GError **error)
{
	static const char own[] = "--matrix takes its profiles, commands and their options from "
				  "the file";
	const Options *options = invocation->options;

	if (!options->matrix && (options->list || options->job))
		return bad(error, "--list and --job are for --matrix", "");
	if (!options->matrix && !invocation->words[0])
		return bad(error, "a PROFILE is missing: ", "hailo-vm-run test PROFILE -- CMD");
	if (!options->matrix)
		return TRUE;
	for (const HvrOption *option = hvr_command_find("test")->options; option->name; option++)
		if (!is_of_matrix(option) && is_given(options, &option->field))
			return bad(error, own, "");
	if (invocation->words[0] || invocation->tail[0])
		return bad(error, own, "");
	return TRUE;
}

/* Both kinds. FALSE: this is the child that was the VM's supervisor, and @out_job its job */
static gboolean try_all(const HvrInvocation *invocation, const HvrTestMatrix *matrix, HvrRig *rig,
			HvrRigJob **out_job)
{
	HvrRigJob *job = *out_job;
	GError *error = NULL;

	if (!matrix->file)
		return try_out(matrix->context, invocation, rig, job);
	*out_job = hvr_test_matrix_run(matrix, rig, &error);
	if (error)
		hvr_rig_fail(rig, job, "matrix", error);
	return *out_job == NULL;
}

static int test(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const HvrTestMatrix matrix = { .context = context,
				       .command = hvr_command_find("test"),
				       .file = options->matrix,
				       .artifacts = options->artifacts,
				       .job = options->job,
				       .check = check_job,
				       .try = try_out };
	const char *what = options->matrix ? options->matrix : invocation->words[0];
	g_auto(HvrRig) rig = HVR_RIG_NONE;

	if (!check_matrix(invocation, error))
		return -1;
	if (options->list)
		return hvr_test_matrix_list(&matrix, error);
	g_autofree char *name = g_path_get_basename(what);
	HvrRigJob *job = hvr_rig_add(&rig, name);
	if (!open_reports(&rig, job, options, error) || !hvr_rig_begin(&rig, error))
		return -1;
	hvr_rig_listen(&rig, job);
	if (!try_all(invocation, &matrix, &rig, &job))
		return job->trial.child_status;
	return hvr_rig_end(&rig);
}

static const HvrOption table[] = {
	HVR_OPTIONS_GUEST(Options, how.guest),
	{ "fetch", 'f', HVR_TEXTS(Options, how.fetch), "GUESTFILE:HOSTFILE",
	  "Copy a file out of the guest when the command has ended; may be repeated" },
	{ "junit", 'j', HVR_TEXT(Options, junit), "FILE", "Write a report that CI systems read" },
	{ "result", 'r', HVR_TEXT(Options, result), "FILE",
	  "Write what it came to, and whose fault it is, as one JSON object" },
	HVR_OPTION_NAME(Options, name),
	{ "artifacts", 'a', HVR_TEXT(Options, artifacts), "DIR",
	  "Keep all that there is to know of it in this folder, whatever fails" },
	HVR_OPTION_EVENTS(Options, events),
	HVR_OPTIONS_CHANGES(Options, changes),
	{ "matrix", 'm', HVR_TEXT(Options, matrix), "FILE",
	  "Run the jobs of a list, guests, cards and commands, one after the other" },
	{ "list", 'l', HVR_FLAG(Options, list), NULL,
	  "With --matrix: print the jobs as command lines, for a scheduler" },
	{ "job", 0, HVR_SECONDS(Options, job, 1, JOBS_MAX), "N",
	  "With --matrix: run one of the jobs, the first is 1" },
	{ "timeout", 't', HVR_SECONDS(Options, how.timeout_s, 0, HVR_DAY_S), "S",
	  "Kill the command after this time (default: none)" },
	{ "deadline", 'd', HVR_SECONDS(Options, how.deadline_s, 0, HVR_DAY_S), "S",
	  "End all of it after this time, but for giving the cards back (default: none)" },
	{ "retry-infrastructure", 0, HVR_SECONDS(Options, how.retries, 0, RETRIES_MAX), "N",
	  "Try it again so often where no test is to be blamed" },
	{ "keep-on-failure", 0, HVR_FLAG(Options, how.keep), NULL,
	  "The VM stays where the test has not passed, until `stop` ends it" },
	HVR_OPTION_WAIT(Options, how.wait_s),
	{ "wait-ready", 0, HVR_SECONDS(Options, how.wait_ready_s, 1, HVR_DAY_S), "S",
	  "How long the guest may take to be ready (default 300)" },
	{ "verify", 0, HVR_FLAG(Options, verify), NULL,
	  "Verify the guest first; the default where the VM gets a Hailo" },
	{ "no-verify", 0, HVR_FLAG(Options, no_verify), NULL, "Do not" },
	{ "warm", 0, HVR_FLAG(Options, warm), NULL,
	  "Go on with a guest that was saved when it was ready; as [vm] warm = auto" },
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
	.most = 1,
	.tail = TRUE,
	.ours = HVR_EXIT_NOT_JUDGED,
	.options = table,
	.size = sizeof(Options),
	.defaults = &(const Options)OPTIONS_DEFAULTS,
	.describe = describe,
	.run = test,
};
