/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two moments count: QEMU answers on its monitor, and the guest is ready. Between them a guest
 * boots, which may take minutes, so the deadline for it is the user's; that for QEMU is ours.
 */
#include "launcher/session/arrival.h"

#include <unistd.h>

#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"
#include "launcher/report/progress.h"
#include "launcher/session/notify.h"
#include "vfio/fd.h"

/* How long QEMU may take to its first word; the kernel may be resetting cards meanwhile. */
#define GREETING_BASE_MS 150000

/* Pages are pinned one by one: about a quarter of a second for each GiB. */
#define PINNING_GIB_PER_S 4

/* What QEMU is at until it answers. */
static void show_start(const HvrSession *session)
{
	guint64 gib = session->profile->memory_bytes >> 30;
	g_autofree char *pinning = g_strdup_printf("QEMU pins %" G_GUINT64_FORMAT
						   " GiB of the guest's memory for the card, about "
						   "%" G_GUINT64_FORMAT " s",
						   gib, gib / PINNING_GIB_PER_S);
	HvrProgressStage stage = { .text = "QEMU starts" };

	if (session->vm->devices->len && gib > PINNING_GIB_PER_S)
		stage.text = pinning;
	hvr_progress_begin("VM '%s'", session->vm->name);
	hvr_progress_stage(&stage);
}

/* Not where the guest's serial port is shown: its lines are better. */
static void show_boot(HvrArrival *arrival)
{
	const HvrProgressStage stage = { .text = "booting",
					 .limit_ms = (guint)arrival->options->wait_ready_s * 1000 };
	const HvrSession *session = arrival->session;

	if (session->vm->ready_set && !session->vm->ready && !arrival->on_terminal) {
		hvr_progress_stage(&stage);
		arrival->boot_line = hvr_boot_line_new(session->serial);
	} else {
		hvr_progress_end();
	}
}

static void end_boot(HvrArrival *arrival)
{
	g_clear_pointer(&arrival->boot_line, hvr_boot_line_free);
	hvr_progress_end();
}

/* Nobody reads our standard error any more. */
static void keep_messages(int folder)
{
	g_auto(HvrFd) log = hvr_vm_open_log(folder);

	if (log >= 0)
		hvr_message_keep(log);
}

/* Somebody waits for this moment, and then, mostly, has the terminal back: from here on there is
 * the record of what is said, and nothing else. */
static void tell_waiting(HvrArrival *arrival)
{
	const HvrRunOptions *options = arrival->options;
	char ready = 1;

	if (options->ready_fd < 0)
		return;
	if (options->warm)
		options->warm->shown = TRUE;
	/* The terminal is somebody else's from here on. */
	end_boot(arrival);
	if (!options->attached && !options->front)
		keep_messages(arrival->session->folder);
	ssize_t written = write(options->ready_fd, &ready, 1);
	(void)written; /* whoever waited is gone: the VM runs all the same */
	close(options->ready_fd);
}

/* Whoever has the terminal shows how the guest boots. */
static gboolean is_told_early(const HvrRunOptions *options)
{
	return !options->wait_ready_s || options->front;
}

static void stop_timer(HvrArrival *arrival)
{
	if (arrival->late)
		g_source_remove(arrival->late);
	arrival->late = 0;
}

static gboolean saves(const HvrArrival *arrival)
{
	return arrival->options->warm && arrival->options->warm->save >= 0;
}

static gboolean goes_on(const HvrArrival *arrival)
{
	return arrival->options->warm && arrival->options->warm->restore >= 0;
}

/* Somebody has had it end: whatever QEMU does not do any more is no fault of the state's. */
static gboolean is_ending(const HvrArrival *arrival)
{
	return arrival->over || hvr_shutdown_stage(arrival->session->shutdown) != HVR_SHUTDOWN_NONE;
}

/* It comes to nothing, for this reason. */
static void give_up(const HvrArrival *arrival, const GError *error)
{
	g_clear_error(&arrival->session->failure);
	arrival->session->failure = g_error_copy(error);
	hvr_session_quit(arrival->session);
}

/* QEMU could not do it. */
static void fail_warm(const HvrArrival *arrival, const GError *error)
{
	if (is_ending(arrival))
		return;
	arrival->options->warm->problem = g_error_copy(error);
	give_up(arrival, error);
}

static void on_saved(const GError *error, gpointer user_data)
{
	const HvrArrival *arrival = user_data;
	HvrRunWarm *warm = arrival->options->warm;

	if (error) {
		fail_warm(arrival, error);
		return;
	}
	warm->done = TRUE;
	hvr_events_tell(arrival->session->context->events, "saved", NULL, NULL);
	hvr_session_quit(arrival->session);
}

static void save(HvrArrival *arrival)
{
	static const HvrProgressStage stage = { .text = "saving the guest" };

	hvr_progress_begin("VM '%s'", arrival->session->vm->name);
	hvr_progress_stage(&stage);
	hvr_transfer_out(&arrival->transfer, arrival->session, arrival->options->warm->save,
			 on_saved, arrival);
}

static void arrive(HvrArrival *arrival);

/* The state is good for a VM that has the same addresses. */
static void on_awake(const GError *error, gpointer user_data)
{
	HvrArrival *arrival = user_data;

	if (error) {
		arrival->options->warm->good = TRUE;
		arrival->options->warm->stays = hvr_wake_has_stayed(&arrival->wake);
		fail_warm(arrival, error);
		return;
	}
	arrival->options->warm->hears = hvr_wake_was_heard(&arrival->wake);
	arrival->awake = TRUE;
	arrive(arrival);
}

static void wake(HvrArrival *arrival)
{
	const HvrRunWarm *warm = arrival->options->warm;
	const HvrWakeFrom from = { .name = warm->name, .macs = warm->macs };

	hvr_wake_begin(&arrival->wake, arrival->session, goes_on(arrival) ? &from : NULL, on_awake,
		       arrival);
}

static void on_warmed(const GError *error, gpointer user_data)
{
	HvrArrival *arrival = user_data;
	g_autoptr(GError) told = NULL;

	if (!error) {
		arrival->warmed = TRUE;
		arrive(arrival);
		return;
	}
	told = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			   "[guest] warm-script: %s", error->message);
	give_up(arrival, told);
}

/* However long it takes: --wait-ready is for that, too. */
static void run_warm_script(HvrArrival *arrival)
{
	static const HvrProgressStage stage = { .text = "the guest runs its warm-script" };

	hvr_progress_begin("VM '%s'", arrival->session->vm->name);
	hvr_progress_stage(&stage);
	hvr_guest_script_begin(&arrival->script, arrival->session, arrival->options->warm->script,
			       G_MAXINT, on_warmed, arrival);
}

/* When nothing is missing any more. */
static void arrive(HvrArrival *arrival)
{
	HvrSession *session = arrival->session;
	gint64 took_ms = (g_get_monotonic_time() - arrival->begin_us) / 1000;

	if (!arrival->guest_ready || !arrival->cards_in)
		return;
	if (!arrival->awake) {
		wake(arrival);
		return;
	}
	if (!arrival->warmed) {
		run_warm_script(arrival);
		return;
	}
	stop_timer(arrival);
	end_boot(arrival);
	if (saves(arrival)) {
		save(arrival);
		return;
	}
	session->vm->ready = TRUE;
	hvr_session_save(session);
	hvr_message("VM '%s' is ready after %d.%d s", session->vm->name, (int)(took_ms / 1000),
		    (int)(took_ms % 1000 / 100));
	hvr_events_tell(session->context->events, "ready", NULL, NULL);
	hvr_notify_ready("the guest is ready");
	if (!is_told_early(arrival->options))
		tell_waiting(arrival);
}

static void on_ready(gpointer user_data)
{
	HvrArrival *arrival = user_data;

	arrival->guest_ready = TRUE;
	arrive(arrival);
}

static gboolean on_late(gpointer user_data)
{
	HvrArrival *arrival = user_data;
	HvrSession *session = arrival->session;

	arrival->late = 0;
	/* it says already why there is none */
	if (session->failure)
		return G_SOURCE_REMOVE;
	session->failure = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
				       "the guest was not ready within %d s, and was ended",
				       arrival->options->wait_ready_s);
	hvr_error_hint(&session->failure, "where it has come to: hailo-vm-run log --serial %s",
		       session->vm->name);
	hvr_session_quit(session);
	return G_SOURCE_REMOVE;
}

/* What it is before the first event: -S among [qemu] args has it begin so. */
static void note_paused(HvrSession *session, JsonNode *status)
{
	JsonNode *running = NULL;

	if (JSON_NODE_HOLDS_OBJECT(status))
		running = json_object_get_member(json_node_get_object(status), "running");
	if (!running || json_node_get_value_type(running) != G_TYPE_BOOLEAN ||
	    json_node_get_boolean(running))
		return;
	session->vm->paused = TRUE;
	hvr_session_save(session);
}

static void tell_running(HvrArrival *arrival)
{
	HvrSession *session = arrival->session;

	hvr_message("VM '%s' is running (QEMU pid %d)", session->vm->name,
		    (int)session->vm->qemu.pid);
	hvr_events_tell_number(session->context->events, "running", "pid", session->vm->qemu.pid);
	show_boot(arrival);
	if (!session->vm->ready_set)
		hvr_notify_ready("the VM is running");
	if (is_told_early(arrival->options))
		tell_waiting(arrival);
}

static void on_cards_in(const GError *error, gpointer user_data)
{
	HvrArrival *arrival = user_data;

	/* a VM that goes gets none; why it goes is another's to say */
	if (error && (is_ending(arrival) || arrival->session->qemu_ended ||
		      hvr_qmp_client_is_closed(arrival->session->qmp)))
		return;
	if (error) {
		give_up(arrival, error);
		return;
	}
	arrival->cards_in = TRUE;
	arrive(arrival);
}

/* It goes on. What it had said on its serial port it does not say again: it was ready. */
static void on_gone_on(HvrQmpClient *client, JsonNode *result, const GError *error,
		       gpointer user_data)
{
	HvrArrival *arrival = user_data;
	HvrSession *session = arrival->session;

	if (error) {
		fail_warm(arrival, error);
		return;
	}
	arrival->options->warm->done = TRUE;
	hvr_events_tell(session->context->events, "restored", NULL, NULL);
	tell_running(arrival);
	arrival->guest_ready = arrival->guest_ready || !arrival->readiness;
	hvr_late_cards_plug(&arrival->cards, on_cards_in, arrival);
}

static void on_restored(const GError *error, gpointer user_data)
{
	HvrArrival *arrival = user_data;
	HvrSession *session = arrival->session;

	if (error) {
		fail_warm(arrival, error);
		return;
	}
	if (session->profile->guest.ready != HVR_READY_SERIAL)
		arrival->readiness = hvr_readiness_new(session, on_ready, arrival);
	hvr_qmp_client_execute(session->qmp, "cont", NULL, GREETING_BASE_MS, on_gone_on, arrival);
}

static void restore(HvrArrival *arrival)
{
	static const HvrProgressStage stage = { .text = "the guest that was saved is read" };

	hvr_progress_stage(&stage);
	hvr_late_cards_prepare(&arrival->cards, arrival->hotplug, arrival->decision);
	hvr_transfer_in(&arrival->transfer, arrival->session, arrival->options->warm->restore,
			on_restored, arrival);
}

static void on_greeted(HvrQmpClient *client, JsonNode *result, const GError *error,
		       gpointer user_data)
{
	HvrArrival *arrival = user_data;
	HvrSession *session = arrival->session;

	if (error && (session->qemu_ended || hvr_qmp_client_is_closed(client)))
		return;
	/* One that is late may have begun all the same. */
	arrival->answered = TRUE;
	if (arrival->ports)
		hvr_ports_clear(arrival->ports);
	if (error) {
		hvr_progress_end();
		hvr_message("QEMU does not answer: %s", error->message);
		hvr_session_quit(session);
		return;
	}
	note_paused(session, result);
	if (goes_on(arrival))
		restore(arrival);
	else
		tell_running(arrival);
}

void hvr_arrival_begin(HvrArrival *arrival, const HvrArrivalStart *start)
{
	HvrSession *session = start->hotplug->session;
	const HvrRunOptions *options = start->options;

	*arrival = (HvrArrival){ .session = session,
				 .options = options,
				 .ports = start->ports,
				 .hotplug = start->hotplug,
				 .decision = start->decision,
				 .begin_us = g_get_monotonic_time() };
	arrival->on_terminal = session->profile->serial == HVR_SERIAL_STDIO &&
			       !options->serial_log && (options->front || isatty(STDOUT_FILENO));
	show_start(session);
	arrival->cards_in = !goes_on(arrival);
	arrival->awake = !options->warm || !session->profile->guest.agent;
	arrival->warmed = !options->warm || !options->warm->script;
	if (!goes_on(arrival))
		arrival->readiness = hvr_readiness_new(session, on_ready, arrival);
	hvr_qmp_client_execute(session->qmp, "query-status", NULL, GREETING_BASE_MS, on_greeted,
			       arrival);
	if (options->wait_ready_s)
		arrival->late =
			g_timeout_add_seconds((guint)options->wait_ready_s, on_late, arrival);
}

void hvr_arrival_end(HvrArrival *arrival)
{
	HvrRunWarm *warm = arrival->options->warm;

	arrival->over = TRUE;
	if (warm)
		warm->stopped = !warm->done && arrival->session->stops->len > 0;
	stop_timer(arrival);
	end_boot(arrival);
	if (arrival->transfer.session)
		hvr_transfer_end(&arrival->transfer);
	hvr_wake_end(&arrival->wake);
	hvr_guest_script_end(&arrival->script);
	hvr_late_cards_end(&arrival->cards);
	g_clear_pointer(&arrival->readiness, hvr_readiness_free);
}
