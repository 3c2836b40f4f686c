/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a trial does in its guest: is the card there, the command, and what is to be fetched.
 */
#include "launcher/guest/trial-steps.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/guest/verify.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

#define REACH_MS 30000

/* How long a guest's driver may take to a card that came by hot-plug, and how often it is asked. */
#define DRIVER_US (30 * G_USEC_PER_SEC)
#define AGAIN_US  G_USEC_PER_SEC

/* For all that is fetched when the deadline has passed. */
#define LATE_FETCH_US (30 * G_USEC_PER_SEC)

/* Nobody waits longer for what is only good to have. */
#define JOURNAL_MS 20000

/* The step could not be done, and it may be that the guest is gone. Takes @error. */
static void note_lost(HvrTrial *trial, GError *error)
{
	HvrJunitCase *one = hvr_trial_note_error(trial, error);

	if (!trial->guest || hvr_guest_is_lost(trial->guest))
		trial->lost = one;
}

static void tell_failed(const GPtrArray *results)
{
	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		if (result->status == HVR_CHECK_FAIL)
			hvr_message("%s: %s: %s", result->id, result->subject, result->seen);
	}
}

/* [transfer full] */
static GPtrArray *ask_guest(const HvrTrial *trial, GError **error)
{
	g_auto(HvrVerifyFacts) facts = { 0 };

	if (!hvr_verify_gather(trial->guest, &facts, error))
		return NULL;
	return hvr_verify_judge(&facts, trial->profile->guest.hailort_min);
}

/* A card that came by hot-plug a moment ago may not be its driver's yet. The agent tells of no
 * event, so the guest is asked again. [transfer full] */
static GPtrArray *ask_until_well(const HvrTrial *trial, GError **error)
{
	gint64 until_us = g_get_monotonic_time() + DRIVER_US;
	GPtrArray *results = ask_guest(trial, error);

	while (results && trial->profile->warm != HVR_WARM_NO &&
	       hvr_check_exit_status(results) != 0 && !hvr_interrupt_pending() &&
	       g_get_monotonic_time() < until_us) {
		g_ptr_array_unref(results);
		hvr_fd_readable_before(hvr_interrupt_fd(), g_get_monotonic_time() + AGAIN_US);
		results = ask_guest(trial, error);
	}
	return results;
}

static gboolean verify(HvrTrial *trial)
{
	static const char problem[] =
		"the guest has not got its Hailo-8, so the command is not run";
	GError *error = NULL;

	hvr_trial_begin(trial, "verify");
	g_autoptr(GPtrArray) results = ask_until_well(trial, &error);
	if (!results) {
		note_lost(trial, error);
		return FALSE;
	}
	g_autofree char *text = hvr_check_to_text(results, &(HvrCheckStyle){ 0 });
	gboolean well = hvr_check_exit_status(results) == 0;
	HvrJunitCase *one = NULL;
	if (well)
		one = hvr_trial_note(trial, HVR_JUNIT_PASSED, NULL);
	else
		one = hvr_trial_note_class(trial, HVR_OUTCOME_INFRASTRUCTURE, HVR_EXIT_NOT_JUDGED,
					   problem);
	one->out = g_byte_array_new_take((guint8 *)g_strdup(text), strlen(text));
	if (well)
		return TRUE;
	hvr_message("%s", problem);
	tell_failed(results);
	return FALSE;
}

/* Its own, or what is left of the whole. 0: none */
static guint timeout_ms(const HvrTrial *trial)
{
	guint own = (guint)trial->options->timeout_s * 1000, left = hvr_trial_left_ms(trial);

	if (!own || !left)
		return MAX(own, left);
	return MIN(own, left);
}

static char *describe_timeout(const HvrTrial *trial)
{
	if (hvr_trial_is_late(trial))
		return g_strdup_printf("the command has not ended by the deadline of %d s for the "
				       "whole run and was killed",
				       trial->options->deadline_s);
	return g_strdup_printf("the command has not ended within %d s and was killed",
			       trial->options->timeout_s);
}

/* What the command came to. Takes what it said. */
static void note_result(HvrTrial *trial, HvrGuestResult *result)
{
	g_autofree char *message = NULL;
	HvrJunitCase *one = NULL;

	if (result->timed_out) {
		message = describe_timeout(trial);
		one = hvr_trial_note_class(trial, HVR_OUTCOME_TIMED_OUT, result->status, message);
		hvr_message("%s", message);
	} else if (result->status || hvr_interrupt_pending()) {
		message = g_strdup_printf("the command ended with status %d", result->status);
		one = hvr_trial_note_class(trial, HVR_OUTCOME_FAILED, result->status, message);
	} else {
		one = hvr_trial_note(trial, HVR_JUNIT_PASSED, NULL);
	}
	if (result->truncated)
		hvr_message("the agent keeps 16 MiB of output; the rest is lost");
	one->out = g_steal_pointer(&result->out);
	one->err = g_steal_pointer(&result->err);
}

static gboolean run_command(HvrTrial *trial)
{
	const int *kept = trial->options->artifacts->fds;
	const HvrGuestLive live = { .out_fd = STDOUT_FILENO,
				    .err_fd = STDERR_FILENO,
				    .copies = { kept[HVR_ARTIFACT_STDOUT],
						kept[HVR_ARTIFACT_STDERR] },
				    .in_fd = trial->options->command_input,
				    .how = &trial->options->guest,
				    .puts = trial->options->puts };
	const HvrGuestCommand command = { .argv = (const char *const *)trial->options->command,
					  .timeout_ms = timeout_ms(trial),
					  .live = &live };
	g_auto(HvrGuestResult) result = { 0 };
	GError *error = NULL;

	hvr_trial_begin(trial, "command");
	/* Its timeout ends it, with all that it has started and what it has said. */
	hvr_guest_cancel_at(trial->guest, 0);
	if (!hvr_guest_run(trial->guest, &command, &result, &error)) {
		note_lost(trial, error);
		return FALSE;
	}
	note_result(trial, &result);
	/* What a command that hung has left behind is worth a moment. */
	if (hvr_trial_is_late(trial))
		hvr_guest_cancel_at(trial->guest, g_get_monotonic_time() + LATE_FETCH_US);
	else
		hvr_guest_cancel_at(trial->guest, trial->deadline_us);
	return TRUE;
}

static void fetch(HvrTrial *trial, const char *word)
{
	g_auto(GStrv) parts = g_strsplit(word, ":", 2);
	GError *error = NULL;

	hvr_trial_begin(trial, "fetch %s", parts[0]);
	if (hvr_guest_fetch(trial->guest, parts[0], parts[1], &error)) {
		hvr_artifacts_copy(trial->options->artifacts, parts[1]);
		hvr_trial_note(trial, HVR_JUNIT_PASSED, NULL);
	} else {
		hvr_trial_note_error(trial, error);
	}
}

/* What the guest's system says of itself; dmesg where it has no journal. */
static void keep_journal(HvrTrial *trial)
{
	static const char *const argv[] = {
		"sh", "-c", "journalctl --boot --no-pager --lines=20000 2>/dev/null || dmesg", NULL
	};
	const HvrGuestCommand command = { .argv = argv, .timeout_ms = JOURNAL_MS };
	const HvrArtifacts *artifacts = trial->options->artifacts;
	g_auto(HvrGuestResult) result = { 0 };
	g_autoptr(GError) error = NULL;

	if (!artifacts->folder || trial->report->outcome.class == HVR_OUTCOME_PASSED)
		return;
	if (trial->guest)
		hvr_guest_cancel_at(trial->guest, 0);
	if (trial->guest && !hvr_guest_is_lost(trial->guest) &&
	    hvr_guest_run(trial->guest, &command, &result, &error)) {
		hvr_artifacts_add(artifacts, HVR_ARTIFACT_JOURNAL, result.out->data,
				  result.out->len);
		return;
	}
	g_autofree char *text = g_strdup_printf("the guest's journal is not to be had: %s\n",
						error ? error->message : "it cannot be asked");
	hvr_artifacts_add(artifacts, HVR_ARTIFACT_JOURNAL, text, strlen(text));
}

static gboolean reach(HvrTrial *trial)
{
	GError *error = NULL;
	g_autoptr(HvrVm) vm = NULL;

	hvr_trial_begin(trial, "agent");
	if (hvr_context_open_runtime(trial->context, TRUE, &error))
		vm = hvr_vm_read(trial->context, trial->profile->name, &error);
	if (vm) {
		trial->qemu = (int)syscall(SYS_pidfd_open, vm->qemu.pid, 0);
		guint most_ms = hvr_trial_left_ms(trial);
		trial->guest = hvr_guest_open(trial->context, vm,
					      most_ms ? MIN(most_ms, REACH_MS) : REACH_MS, &error);
	}
	if (trial->guest)
		hvr_guest_cancel_at(trial->guest, trial->deadline_us);
	if (!trial->guest)
		note_lost(trial, error);
	return trial->guest != NULL;
}

void hvr_trial_use_guest(HvrTrial *trial)
{
	if (!reach(trial))
		return;
	gboolean verified = !trial->options->verify || verify(trial);
	if (!verified) {
		hvr_trial_begin(trial, "command");
		hvr_trial_note(trial, HVR_JUNIT_SKIPPED, "verify failed");
	}
	/* What a failed command leaves behind is what one wants to see. */
	if (verified && run_command(trial))
		for (char **word = trial->options->fetch; word && *word; word++)
			fetch(trial, *word);
	keep_journal(trial);
	g_clear_pointer(&trial->guest, hvr_guest_free);
}
