/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A test in a VM of its own.
 *
 * Two processes: the supervisor that `run --detach` has, and this one, which asks the guest. The
 * supervisor ends with this one, however that ends, and gives the cards back as always. The steps
 * are cases of a report; the first one that fails decides, and those that need it are skipped.
 * Why a supervisor has ended is known to itself alone, and comes through a pipe.
 */
#include "launcher/guest/trial.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
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

/* How long QEMU may take to end, once its agent is lost, so that it counts as the reason. */
#define DYING_MS 5000

#define CAUSE_BYTES 4000

typedef struct {
	HvrContext *context;
	const HvrProfile *profile;
	const HvrTrialOptions *options;
	HvrDetached vm;
	int cause_fd; /* where the supervisor says why it ends */
	int qemu;     /* pidfd; -1: not known */
	HvrGuest *guest;
	HvrJunitCase *lost; /* (nullable): the step in which the guest was */
	GPtrArray *cases;
	HvrOutcome *outcome;
	gint64 begin_us; /* of the step */
} Trial;

void hvr_trial_report_clear(HvrTrialReport *report)
{
	g_clear_pointer(&report->cases, g_ptr_array_unref);
	hvr_outcome_clear(&report->outcome);
}

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

/* A step that was not passed, for whatever reason: what the report has for it, and the outcome. */
static HvrJunitCase *note_class(Trial *trial, const char *name, HvrOutcomeClass class, int code,
				const char *message)
{
	g_autofree char *cancelled =
		g_strdup_printf("cancelled by signal %d (%s)", hvr_interrupt_pending(),
				strsignal(hvr_interrupt_pending()));
	HvrJunitVerdict verdict = HVR_JUNIT_ERROR;

	if (hvr_interrupt_pending()) {
		class = HVR_OUTCOME_CANCELLED;
		code = 128 + hvr_interrupt_pending();
		verdict = HVR_JUNIT_SKIPPED;
		message = cancelled;
	} else if (class == HVR_OUTCOME_FAILED || class == HVR_OUTCOME_TIMED_OUT) {
		verdict = HVR_JUNIT_FAILED;
	}
	hvr_outcome_decide(trial->outcome, class, code, name, message);
	return note(trial, name, verdict, message);
}

/* One that could not be done: that the command is not in the guest is the test's own fault. */
static HvrJunitCase *note_cause(Trial *trial, const char *name, const GError *error)
{
	HvrOutcomeClass class = HVR_OUTCOME_INFRASTRUCTURE;

	if (error->domain == HVR_COMMAND_ERROR)
		class = HVR_OUTCOME_FAILED;
	return note_class(trial, name, class, hvr_exit_status_of_command(error), error->message);
}

/* The same, and tells it. Takes @error. */
static HvrJunitCase *note_error(Trial *trial, const char *name, GError *error)
{
	HvrJunitCase *one = note_cause(trial, name, error);

	hvr_message_error(error);
	g_error_free(error);
	return one;
}

/* The same, where it may be that the guest is gone. Takes @error. */
static void note_lost(Trial *trial, const char *name, GError *error)
{
	HvrJunitCase *one = note_error(trial, name, error);

	if (!trial->guest || hvr_guest_is_lost(trial->guest))
		trial->lost = one;
}

static gboolean verify(Trial *trial)
{
	static const char problem[] =
		"the guest has not got its Hailo-8, so the command is not run";
	g_auto(HvrVerifyFacts) facts = { 0 };
	GError *error = NULL;

	if (!hvr_verify_gather(trial->guest, &facts, &error)) {
		note_lost(trial, "verify", error);
		return FALSE;
	}
	g_autoptr(GPtrArray) results = hvr_verify_judge(&facts, trial->profile->guest.hailort_min);
	g_autofree char *text = hvr_check_to_text(results, FALSE);
	gboolean well = hvr_check_exit_status(results) == 0;
	HvrJunitCase *one = NULL;
	if (well)
		one = note(trial, "verify", HVR_JUNIT_PASSED, NULL);
	else
		one = note_class(trial, "verify", HVR_OUTCOME_INFRASTRUCTURE, HVR_EXIT_NOT_JUDGED,
				 problem);
	one->out = g_byte_array_new_take((guint8 *)g_strdup(text), strlen(text));
	if (well)
		return TRUE;
	hvr_message("%s", problem);
	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		if (result->status == HVR_CHECK_FAIL)
			hvr_message("%s: %s: %s", result->id, result->subject, result->seen);
	}
	return FALSE;
}

/* What the command came to. Takes what it said. */
static void note_result(Trial *trial, HvrGuestResult *result)
{
	g_autofree char *message = NULL;
	HvrJunitCase *one = NULL;

	if (result->timed_out) {
		message = g_strdup_printf("the command has not ended within %d s and was killed",
					  trial->options->timeout_s);
		one = note_class(trial, "command", HVR_OUTCOME_TIMED_OUT, result->status, message);
		hvr_message("%s", message);
	} else if (result->status || hvr_interrupt_pending()) {
		message = g_strdup_printf("the command ended with status %d", result->status);
		one = note_class(trial, "command", HVR_OUTCOME_FAILED, result->status, message);
	} else {
		one = note(trial, "command", HVR_JUNIT_PASSED, NULL);
	}
	if (result->truncated)
		hvr_message("the agent keeps 16 MiB of output; the rest is lost");
	one->out = g_steal_pointer(&result->out);
	one->err = g_steal_pointer(&result->err);
}

static void pass_on(Trial *trial, const HvrGuestResult *result)
{
	if (hvr_fd_write_all(STDOUT_FILENO, result->out->data, result->out->len) &&
	    hvr_fd_write_all(STDERR_FILENO, result->err->data, result->err->len))
		return;
	hvr_message("the command's output cannot be written");
	hvr_outcome_decide(trial->outcome, HVR_OUTCOME_INFRASTRUCTURE, HVR_EXIT_NOT_JUDGED,
			   "command", "the command's output cannot be written");
}

static gboolean run_command(Trial *trial)
{
	const GByteArray *input = trial->options->input;
	HvrGuestCommand command = { .argv = (const char *const *)trial->options->command,
				    .input = input ? input->data : NULL,
				    .input_bytes = input ? input->len : 0,
				    .timeout_ms = (guint)trial->options->timeout_s * 1000 };
	g_auto(HvrGuestResult) result = { 0 };
	GError *error = NULL;

	if (!hvr_guest_run(trial->guest, &command, &result, &error)) {
		note_lost(trial, "command", error);
		return FALSE;
	}
	pass_on(trial, &result);
	note_result(trial, &result);
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
	if (vm) {
		trial->qemu = (int)syscall(SYS_pidfd_open, vm->qemu.pid, 0);
		trial->guest = hvr_guest_open(trial->context, vm, REACH_MS, &error);
	}
	if (!trial->guest) {
		note_lost(trial, "agent", error);
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

/* Has QEMU ended by itself, which is why the guest was lost? */
static gboolean has_died(const Trial *trial)
{
	struct pollfd poller = { .fd = trial->qemu, .events = POLLIN };

	return trial->lost && trial->qemu >= 0 && !hvr_interrupt_pending() &&
	       poll(&poller, 1, DYING_MS) == 1;
}

/* What a supervisor that ended with @status said then. NULL: it ended well */
static GError *cause_of(const Trial *trial, int status)
{
	char cause[CAUSE_BYTES + 1] = "";

	/* It is told of our signals. */
	if (status == 0 || (hvr_interrupt_pending() && status == 128 + hvr_interrupt_pending()))
		return NULL;
	if (hvr_fd_read_all(trial->cause_fd, cause, CAUSE_BYTES) <= 0)
		g_snprintf(cause, sizeof(cause), "the VM's supervisor ended with status %d",
			   status);
	g_autofree char *valid = g_utf8_make_valid(cause, -1);
	return g_error_new_literal(HVR_STATUS_ERROR, status, valid);
}

/* The guest is gone, and with it what can be said of the test. */
static void note_death(Trial *trial)
{
	g_autoptr(GError) error = cause_of(trial, hvr_detach_wait(&trial->vm));
	const char *why = error ? error->message : "the guest powered it down";
	g_autofree char *message = g_strdup_printf("the VM ended while it was in use: %s", why);

	hvr_message("the VM ended while it was in use");
	g_free(trial->lost->message);
	trial->lost->message = g_strdup(message);
	if (trial->outcome->class == HVR_OUTCOME_INFRASTRUCTURE) {
		g_autofree char *where = g_strdup(trial->outcome->where);
		hvr_outcome_clear(trial->outcome);
		hvr_outcome_decide(trial->outcome, HVR_OUTCOME_GUEST_DIED, HVR_EXIT_NOT_JUDGED,
				   where, message);
	}
}

static void stop(Trial *trial)
{
	g_auto(HvrFd) folder = hvr_vm_open_folder(trial->context->runtime, trial->profile->name);
	HvrRequest request = { .name = HVR_REQUEST_STOP, .powerdown_ms = POWERDOWN_MS };
	GError *error = NULL;

	/* Where nobody answers the VM has ended by itself, which its supervisor's status tells. */
	if (!hvr_ask_supervisor(folder, &request, &error) && hvr_ask_found_nobody(error))
		g_clear_error(&error);
	g_autoptr(GError) ended = cause_of(trial, hvr_detach_wait(&trial->vm));
	if (error)
		note_error(trial, "stop", error);
	else if (ended)
		note_cause(trial, "stop", ended);
	else
		note(trial, "stop", HVR_JUNIT_PASSED, NULL);
}

/* The other process: the VM's supervisor. What it says is said to people, and to @cause_fd. */
static int supervise(const Trial *trial, int ready_fd, int cause_fd)
{
	const HvrRunOptions options = { .mode = HVR_RUN_SUPERVISE,
					.wait_s = trial->options->wait_s,
					.ready_fd = ready_fd,
					.wait_ready_s = trial->options->wait_ready_s,
					.attached = TRUE,
					.vm_lock = trial->options->vm_lock };
	g_autoptr(GError) error = NULL;

	if (hvr_run(trial->context, trial->profile, &options, &error))
		return 0;
	int status = hvr_exit_settle(-1, FALSE, &error);
	hvr_message_error(error);
	if (!hvr_fd_write_all(cause_fd, error->message, MIN(strlen(error->message), CAUSE_BYTES)))
		return status; /* whoever waited is gone */
	return status;
}

/* The supervisor has told people already. Takes @cause; NULL: it has no reason to complain */
static void note_start(Trial *trial, GError *cause)
{
	static const char early[] = "the VM ended before its guest was ready";

	if (cause) {
		note_cause(trial, "start", cause);
		g_error_free(cause);
		return;
	}
	if (!hvr_interrupt_pending())
		hvr_message("%s", early);
	note_class(trial, "start", HVR_OUTCOME_GUEST_DIED, HVR_EXIT_NOT_JUDGED, early);
}

static void try_out(Trial *trial)
{
	int status = 0;

	if (!hvr_detach_wait_ready(&trial->vm, &status)) {
		note_start(trial, cause_of(trial, status));
		return;
	}
	note(trial, "start", HVR_JUNIT_PASSED, NULL);
	use_guest(trial);
	if (has_died(trial))
		note_death(trial);
	else
		stop(trial);
}

void hvr_trial_run(HvrContext *context, const HvrProfile *profile, const HvrTrialOptions *options,
		   HvrTrialReport *out_report)
{
	Trial trial = { .context = context,
			.profile = profile,
			.options = options,
			.cause_fd = -1,
			.qemu = -1,
			.outcome = &out_report->outcome };
	g_auto(HvrFd) cause_writer = -1;
	GError *error = NULL;
	int ready_fd = -1, ends[2];

	*out_report = (HvrTrialReport){ .child = FALSE };
	trial.begin_us = g_get_monotonic_time();
	trial.cases = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_junit_case_free);
	out_report->cases = trial.cases;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
		trial.cause_fd = ends[0];
		cause_writer = ends[1];
	}
	int who = hvr_detach_fork(context, TRUE, &trial.vm, &ready_fd, &error);
	if (who == 0) {
		out_report->child = TRUE;
		out_report->child_status = supervise(&trial, ready_fd, cause_writer);
		hvr_fd_close(trial.cause_fd);
		return;
	}
	hvr_lock_leave(options->vm_lock);
	hvr_fd_close(g_steal_fd(&cause_writer));
	if (who < 0)
		note_error(&trial, "start", error);
	else
		try_out(&trial);
	hvr_fd_close(trial.qemu);
	hvr_fd_close(trial.cause_fd);
}
