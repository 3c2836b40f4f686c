/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A test in a VM of its own.
 *
 * Two processes: the supervisor that `run --detach` has, and this one, which asks the guest. The
 * supervisor ends with this one, however that ends, and gives the cards back as always. The steps
 * are cases of a report; the first one that fails decides, and those that need it are skipped.
 */
#include "launcher/guest/trial.h"

#include <string.h>
#include <unistd.h>

#include "launcher/guest/guest.h"
#include "launcher/guest/junit.h"
#include "launcher/guest/verify.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/session/ask.h"
#include "launcher/session/detach.h"
#include "launcher/session/run.h"
#include "vfio/fd.h"

#define REACH_MS 30000

/* Nothing of a disposable guest is worth more than a moment. */
#define POWERDOWN_MS 10000

typedef struct {
	HvrContext *context;
	const HvrProfile *profile;
	const HvrTrialOptions *options;
	HvrDetached vm;
	HvrGuest *guest;
	GPtrArray *cases;
	gint64 begin_us; /* of the step */
	int status;	 /* of the first failure, or the command's */
} Trial;

void hvr_trial_bend(HvrProfile *profile)
{
	for (guint i = 0; i < profile->disks->len; i++) {
		HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);
		disk->snapshot = disk->snapshot || !disk->readonly;
	}
	profile->guest.agent = TRUE;
	if (profile->guest.ready == HVR_READY_NONE)
		profile->guest.ready = HVR_READY_AGENT;
}

gboolean hvr_trial_fetch_valid(const char *word)
{
	const char *colon = strchr(word, ':');

	return word[0] == '/' && colon && colon[1];
}

/* The end of a step. @message: NULL where it passed */
static HvrJunitCase *note(Trial *trial, const char *name, HvrJunitVerdict verdict,
			  const char *message)
{
	HvrJunitCase *one = g_new(HvrJunitCase, 1);
	gint64 now = g_get_monotonic_time();

	*one = (HvrJunitCase){ .name = g_strdup(name),
			       .verdict = verdict,
			       .took_us = now - trial->begin_us,
			       .message = g_strdup(message) };
	g_ptr_array_add(trial->cases, one);
	trial->begin_us = now;
	return one;
}

/* A step that could not be done. Takes @error. */
static void note_error(Trial *trial, const char *name, GError *error)
{
	hvr_message_error(error);
	note(trial, name, HVR_JUNIT_ERROR, error->message);
	if (trial->status == 0)
		trial->status = hvr_exit_status(error);
	g_error_free(error);
}

static gboolean verify(Trial *trial)
{
	g_auto(HvrVerifyFacts) facts = { 0 };
	GError *error = NULL;

	if (!hvr_verify_gather(trial->guest, &facts, &error)) {
		note_error(trial, "verify", error);
		return FALSE;
	}
	g_autoptr(GPtrArray) results = hvr_verify_judge(&facts, trial->profile->guest.hailort_min);
	g_autofree char *text = hvr_check_to_text(results, FALSE);
	gboolean well = hvr_check_exit_status(results) == 0;
	HvrJunitCase *one = NULL;
	if (well)
		one = note(trial, "verify", HVR_JUNIT_PASSED, NULL);
	else
		one = note(trial, "verify", HVR_JUNIT_FAILED, "the guest has not got its Hailo-8");
	one->out = g_byte_array_new_take((guint8 *)g_strdup(text), strlen(text));
	if (well)
		return TRUE;
	trial->status = 69;
	hvr_message("the guest has not got its Hailo-8, so the command is not run");
	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		if (result->status == HVR_CHECK_FAIL)
			hvr_message("%s: %s: %s", result->id, result->subject, result->seen);
	}
	return FALSE;
}

static gboolean run_command(Trial *trial)
{
	HvrGuestCommand command = { .argv = (const char *const *)trial->options->command,
				    .timeout_ms = (guint)trial->options->timeout_s * 1000 };
	HvrGuestResult result = { 0 };
	GError *error = NULL;

	if (!hvr_guest_run(trial->guest, &command, &result, &error)) {
		note_error(trial, "command", error);
		return FALSE;
	}
	g_autofree char *message =
		g_strdup_printf("the command ended with status %d", result.status);
	HvrJunitCase *one = NULL;
	if (result.status == 0)
		one = note(trial, "command", HVR_JUNIT_PASSED, NULL);
	else
		one = note(trial, "command", HVR_JUNIT_FAILED, message);
	one->out = result.out;
	one->err = result.err;
	trial->status = result.status;
	if (hvr_fd_write_all(STDOUT_FILENO, one->out->data, one->out->len) &&
	    hvr_fd_write_all(STDERR_FILENO, one->err->data, one->err->len))
		return TRUE;
	hvr_message("the command's output cannot be written");
	if (trial->status == 0)
		trial->status = 71;
	return TRUE;
}

static void fetch(Trial *trial, const char *word)
{
	g_auto(GStrv) parts = g_strsplit(word, ":", 2);
	g_autofree char *name = g_strconcat("fetch ", parts[0], NULL);
	GError *error = NULL;

	if (hvr_guest_fetch(trial->guest, parts[0], parts[1], &error))
		note(trial, name, HVR_JUNIT_PASSED, NULL);
	else
		note_error(trial, name, error);
}

/* With a guest that is ready. */
static void use_guest(Trial *trial)
{
	GError *error = NULL;
	g_autoptr(HvrVm) vm = NULL;

	if (hvr_context_open_runtime(trial->context, TRUE, &error))
		vm = hvr_vm_read(trial->context, trial->profile->name, &error);
	if (vm)
		trial->guest = hvr_guest_open(trial->context, vm, REACH_MS, &error);
	if (!trial->guest) {
		note_error(trial, "agent", error);
		return;
	}
	gboolean verified = !trial->options->verify || verify(trial);
	if (!verified)
		note(trial, "command", HVR_JUNIT_SKIPPED, "verify failed");
	/* What a failed command leaves behind is what one wants to see. */
	if (verified && run_command(trial))
		for (char **word = trial->options->fetch; word && *word; word++)
			fetch(trial, *word);
	g_clear_pointer(&trial->guest, hvr_guest_free);
}

static void stop(Trial *trial)
{
	g_auto(HvrFd) folder = hvr_vm_open_folder(trial->context->runtime, trial->profile->name);
	HvrRequest request = { .name = HVR_REQUEST_STOP, .powerdown_ms = POWERDOWN_MS };
	GError *error = NULL;

	/* Where nobody answers the VM has ended by itself, which its supervisor's status tells. */
	if (!hvr_ask_supervisor(folder, &request, &error) && hvr_ask_found_nobody(error))
		g_clear_error(&error);
	int status = hvr_detach_wait(&trial->vm);
	if (error) {
		note_error(trial, "stop", error);
	} else if (status != 0) {
		g_autofree char *message =
			g_strdup_printf("the VM's supervisor ended with status %d", status);
		note(trial, "stop", HVR_JUNIT_ERROR, message);
	} else {
		note(trial, "stop", HVR_JUNIT_PASSED, NULL);
	}
	if (trial->status == 0)
		trial->status = status;
}

/* The other process: the VM's supervisor. */
static int supervise(const Trial *trial, int ready_fd)
{
	const HvrRunOptions options = { .mode = HVR_RUN_SUPERVISE,
					.wait_s = trial->options->wait_s,
					.ready_fd = ready_fd,
					.wait_ready_s = trial->options->wait_ready_s,
					.attached = TRUE };
	g_autoptr(GError) error = NULL;

	if (hvr_run(trial->context, trial->profile, &options, &error))
		return 0;
	hvr_message_error(error);
	return hvr_exit_status(error);
}

int hvr_trial_run(HvrContext *context, const HvrProfile *profile, const HvrTrialOptions *options,
		  GPtrArray **out_cases, gboolean *out_child)
{
	Trial trial = { .context = context, .profile = profile, .options = options };
	GError *error = NULL;
	int ready_fd = -1;

	trial.begin_us = g_get_monotonic_time();
	trial.cases = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_junit_case_free);
	*out_cases = trial.cases;
	int who = hvr_detach_fork(context, TRUE, &trial.vm, &ready_fd, &error);
	*out_child = who == 0;
	if (who == 0)
		return supervise(&trial, ready_fd);
	if (who < 0) {
		note_error(&trial, "start", error);
	} else if (!hvr_detach_wait_ready(&trial.vm, &trial.status)) {
		note(&trial, "start", HVR_JUNIT_ERROR, "the guest was not ready");
	} else {
		note(&trial, "start", HVR_JUNIT_PASSED, NULL);
		use_guest(&trial);
		stop(&trial);
	}
	return trial.status;
}
