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
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "launcher/guest/trial-notes.h"
#include "launcher/guest/trial-steps.h"
#include "launcher/process/interrupt.h"
#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"
#include "launcher/runtime/name.h"
#include "launcher/session/ask.h"
#include "launcher/session/run.h"
#include "launcher/session/warm.h"
#include "vfio/fd.h"

/* Nothing of a disposable guest is worth more than a moment. */
#define POWERDOWN_MS 10000

/* How long QEMU may take to end, once its agent is lost, so that it counts as the reason. */
#define DYING_MS 5000

#define CAUSE_BYTES 4000

void hvr_trial_bend(HvrProfile *profile)
{
	for (guint i = 0; i < profile->disks->len; i++) {
		HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);
		disk->snapshot = disk->snapshot || !disk->readonly;
	}
	profile->firmware.throw_away = TRUE;
	profile->tpm.throw_away = TRUE;
	profile->guest.agent = TRUE;
	if (profile->guest.ready == HVR_READY_NONE)
		profile->guest.ready = HVR_READY_AGENT;
}

gboolean hvr_trial_fetch_valid(const char *word)
{
	const char *colon = strchr(word, ':');

	return word[0] == '/' && colon && colon[1];
}

gboolean hvr_trial_fetch_check(char **words, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();

	for (; words && *words; words++) {
		HvrOpen target = { .path = strchr(*words, ':') + 1, .fd = -1 };

		if (!hvr_open_could_replace(caller, &target)) {
			hvr_open_fail(error, HVR_LAUNCH_ERROR_USAGE, "--fetch", caller, &target);
			return FALSE;
		}
	}
	return TRUE;
}

/* Has QEMU ended by itself, which is why the guest was lost? */
static gboolean has_died(const HvrTrial *trial)
{
	struct pollfd poller = { .fd = trial->qemu, .events = POLLIN };

	return trial->lost && trial->qemu >= 0 && !hvr_interrupt_pending() &&
	       poll(&poller, 1, DYING_MS) == 1;
}

/* What a supervisor that ended with @status said then. NULL: it ended well */
static GError *cause_of(const HvrTrial *trial, int status)
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
static void note_death(HvrTrial *trial)
{
	g_autoptr(GError) error = cause_of(trial, hvr_detach_wait(&trial->vm));
	const char *why = error ? error->message : "the guest powered it down";
	g_autofree char *message = g_strdup_printf("the VM ended while it was in use: %s", why);

	hvr_message("the VM ended while it was in use");
	g_free(trial->lost->message);
	trial->lost->message = g_strdup(message);
	if (trial->report->outcome.class == HVR_OUTCOME_INFRASTRUCTURE) {
		g_autofree char *where = g_strdup(trial->report->outcome.where);
		hvr_outcome_clear(&trial->report->outcome);
		hvr_outcome_decide(&trial->report->outcome, HVR_OUTCOME_GUEST_DIED,
				   HVR_EXIT_NOT_JUDGED, where, message);
	}
}

/* FALSE: nobody answers, or with @error. */
static gboolean ask(const HvrTrial *trial, const HvrRequest *request, GError **error)
{
	g_auto(HvrFd) folder = hvr_vm_open_folder(trial->context->runtime, trial->profile->name);
	GError *cause = NULL;

	if (hvr_ask_supervisor(folder, request, &cause))
		return TRUE;
	if (hvr_ask_found_nobody(cause))
		g_error_free(cause);
	else
		g_propagate_error(error, cause);
	return FALSE;
}

static void stop(HvrTrial *trial)
{
	const HvrRequest request = { .name = HVR_REQUEST_STOP,
				     .powerdown_ms = POWERDOWN_MS,
				     .force = hvr_trial_is_late(trial) };
	GError *error = NULL;

	hvr_trial_begin(trial, "stop");
	/* Where nobody answers the VM has ended by itself, which its supervisor's status tells. */
	(void)ask(trial, &request, &error);
	g_autoptr(GError) ended = cause_of(trial, hvr_detach_wait(&trial->vm));
	/* A signal that came before the guest was ready was passed on, and may have been first. */
	if (!ended && hvr_interrupt_pending())
		g_clear_error(&error);
	if (error)
		hvr_trial_note_error(trial, error);
	else if (ended)
		hvr_trial_note_cause(trial, ended);
	else
		hvr_trial_note(trial, HVR_JUNIT_PASSED, NULL);
}

static gboolean start(const HvrTrial *trial, const HvrRunOptions *options, GError **error)
{
	if (trial->profile->warm != HVR_WARM_NO)
		return hvr_warm_run(trial->context, trial->profile, options, error);
	return hvr_run(trial->context, trial->profile, options, error);
}

/* The other process: the VM's supervisor. What it says is said to people, and to @cause_fd. */
static int supervise(const HvrTrial *trial, int ready_fd, int cause_fd)
{
	const HvrRunOptions options = {
		.mode = HVR_RUN_SUPERVISE,
		.wait_s = trial->options->wait_s,
		.ready_fd = ready_fd,
		.wait_ready_s = trial->options->wait_ready_s,
		.attached = TRUE,
		.vm_lock = trial->vm_lock,
		.serial_log = trial->options->artifacts->fds[HVR_ARTIFACT_SERIAL]
	};
	g_autoptr(GError) error = NULL;

	if (trial->options->forked)
		trial->options->forked(trial->options->user_data);
	if (start(trial, &options, &error))
		return 0;
	int status = hvr_exit_settle(-1, 0, &error);
	hvr_message_error(error);
	if (!hvr_fd_write_all(cause_fd, error->message, MIN(strlen(error->message), CAUSE_BYTES)))
		return status; /* whoever waited is gone */
	return status;
}

/* What was being done when the last event had been told. */
static const char *describe_stage(const char *event)
{
	static const char *const stages[][2] = {
		{ "waiting", "it waited for a card" },
		{ "planned", "the host was being prepared" },
		{ "bound", "the host was being prepared" },
		{ "prepared", "QEMU was being started" },
		{ "started", "QEMU was starting" },
		{ "running", "the guest was not ready yet" },
		{ "restored", "the guest was not ready yet" },
		{ "saved", "the guest was being saved" },
		{ "panicked", "the guest had panicked" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(stages); i++)
		if (g_str_equal(event, stages[i][0]))
			return stages[i][1];
	return "cards were being chosen";
}

/* The guest is not asked: it has had its time. */
static void end_late(HvrTrial *trial)
{
	const HvrRequest request = { .name = HVR_REQUEST_STOP, .powerdown_ms = 1, .force = TRUE };
	const char *stage = describe_stage(hvr_events_last(trial->context->events));
	g_autofree char *message =
		g_strdup_printf("the deadline of %d s has passed before the guest was ready: %s",
				trial->options->deadline_s, stage);

	hvr_message("%s", message);
	hvr_trial_note_class(trial, HVR_OUTCOME_INFRASTRUCTURE, HVR_EXIT_NOT_JUDGED, message);
	/* One that does not serve yet looks for signals between its steps. */
	if (!ask(trial, &request, NULL))
		kill(trial->vm.pid, SIGTERM);
	hvr_detach_wait(&trial->vm);
}

/* The supervisor has told people already. Takes @cause; NULL: it has no reason to complain */
static void note_start(HvrTrial *trial, GError *cause)
{
	static const char early[] = "the VM ended before its guest was ready";

	if (cause) {
		hvr_trial_note_cause(trial, cause);
		g_error_free(cause);
		return;
	}
	if (!hvr_interrupt_pending())
		hvr_message("%s", early);
	hvr_trial_note_class(trial, HVR_OUTCOME_GUEST_DIED, HVR_EXIT_NOT_JUDGED, early);
}

static void outcome_free(gpointer data)
{
	hvr_outcome_clear(data);
	g_free(data);
}

/* Only where no test is to be blamed: what a test has said is never asked for a second time. */
static gboolean will_retry(const HvrTrial *trial)
{
	HvrOutcomeClass class = trial->report->outcome.class;
	guint done = trial->report->before ? trial->report->before->len : 0;

	return (class == HVR_OUTCOME_INFRASTRUCTURE || class == HVR_OUTCOME_GUEST_DIED) &&
	       done < (guint)trial->options->retries && !hvr_interrupt_pending() &&
	       !hvr_trial_is_late(trial);
}

/* Somebody wants to see what is left of it. FALSE: it is to be stopped as ever. */
static gboolean keep(HvrTrial *trial)
{
	const HvrRequest request = { .name = HVR_REQUEST_STAY };
	const char *vm = trial->profile->name;
	g_autoptr(GError) error = NULL;

	if (!trial->options->keep || trial->report->outcome.class == HVR_OUTCOME_PASSED ||
	    hvr_interrupt_pending() || will_retry(trial))
		return FALSE;
	hvr_trial_begin(trial, "keep");
	if (!ask(trial, &request, &error)) {
		hvr_message("VM '%s' cannot be kept: %s", vm,
			    error ? error->message : "its supervisor does not answer");
		return FALSE;
	}
	trial->report->kept = g_strdup(vm);
	hvr_message("VM '%s' stays, with its cards: 'hailo-vm-run exec %s -- CMD' and, where its "
		    "profile allows, 'console %s' and 'ssh %s' lead into it",
		    vm, vm, vm, vm);
	hvr_message("'hailo-vm-run stop %s' ends it, and gives the cards back", vm);
	return TRUE;
}

static void try_out(HvrTrial *trial)
{
	int status = 0;

	trial->vm.deadline_us = trial->deadline_us;
	if (!hvr_detach_wait_ready(&trial->vm, &status)) {
		if (trial->vm.late)
			end_late(trial);
		else
			note_start(trial, cause_of(trial, status));
		return;
	}
	hvr_trial_note(trial, HVR_JUNIT_PASSED, NULL);
	hvr_trial_use_guest(trial);
	if (has_died(trial))
		note_death(trial);
	else if (!keep(trial))
		stop(trial);
}

static void make_pipe(int *out_reader, int *out_writer)
{
	int ends[2] = { -1, -1 };

	/* Without one there is only the supervisor's status. */
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		g_debug("there is no pipe for the cause");
	*out_reader = ends[0];
	*out_writer = ends[1];
}

/* One VM, from nothing to nothing. */
static void attempt(HvrTrial *trial)
{
	g_auto(HvrFd) cause_writer = -1;
	GError *error = NULL;
	int ready_fd = -1;

	hvr_trial_begin(trial, "start");
	make_pipe(&trial->cause_fd, &cause_writer);
	int who = hvr_detach_fork(trial->context, TRUE, &trial->vm, &ready_fd, &error);
	if (who == 0) {
		trial->report->child = TRUE;
		trial->report->child_status = supervise(trial, ready_fd, cause_writer);
		hvr_fd_close(trial->cause_fd);
		return;
	}
	hvr_lock_leave(g_steal_pointer(&trial->vm_lock));
	hvr_fd_close(g_steal_fd(&cause_writer));
	if (who < 0)
		hvr_trial_note_error(trial, error);
	else
		try_out(trial);
	hvr_fd_close(g_steal_fd(&trial->qemu));
	hvr_fd_close(g_steal_fd(&trial->cause_fd));
}

/* What came of it so far is told and put aside. */
static void begin_again(HvrTrial *trial)
{
	HvrTrialReport *report = trial->report;
	HvrOutcome *before = g_new(HvrOutcome, 1);

	if (!report->before)
		report->before = g_ptr_array_new_with_free_func(outcome_free);
	JsonObject *members = hvr_outcome_to_object(&report->outcome);
	json_object_set_int_member(members, "number", report->before->len + 1);
	hvr_events_tell_object(trial->context->events, "attempt", members);
	hvr_message("attempt %u of %d came to nothing, and it is tried again: %s",
		    report->before->len + 1, trial->options->retries + 1, report->outcome.cause);
	*before = report->outcome;
	report->outcome = (HvrOutcome){ .class = HVR_OUTCOME_PASSED };
	g_ptr_array_add(report->before, before);
	g_ptr_array_set_size(report->cases, 0);
	trial->lost = NULL;
}

/* A name that was made went with its VM, and may be another's by now. Where there is none to be had
 * the attempt will say so. */
static void name_again(HvrTrial *trial)
{
	HvrProfile *profile = trial->profile;
	g_autofree char *name = NULL;

	if (g_str_equal(profile->name, profile->stem))
		return;
	trial->vm_lock = hvr_name_take(trial->context, profile->stem, &name, NULL);
	if (!name || g_str_equal(name, profile->name))
		return;
	hvr_profile_rename(profile, name);
	hvr_events_set_vm(trial->context->events, name);
	hvr_message("this VM's name is '%s'", name);
}

void hvr_trial_run(HvrContext *context, HvrProfile *profile, const HvrTrialOptions *options,
		   HvrTrialReport *out_report)
{
	HvrTrial trial = { .context = context,
			   .profile = profile,
			   .options = options,
			   .cause_fd = -1,
			   .qemu = -1,
			   .report = out_report,
			   .vm_lock = options->vm_lock };

	if (options->deadline_s)
		trial.deadline_us =
			g_get_monotonic_time() + options->deadline_s * (gint64)G_USEC_PER_SEC;
	attempt(&trial);
	while (!out_report->child && will_retry(&trial)) {
		begin_again(&trial);
		name_again(&trial);
		attempt(&trial);
	}
}
