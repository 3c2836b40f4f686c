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

static void on_ready(gpointer user_data)
{
	HvrArrival *arrival = user_data;
	HvrSession *session = arrival->session;
	gint64 took_ms = (g_get_monotonic_time() - arrival->begin_us) / 1000;

	stop_timer(arrival);
	end_boot(arrival);
	session->vm->ready = TRUE;
	hvr_session_save(session);
	hvr_message("VM '%s' is ready after %d.%d s", session->vm->name, (int)(took_ms / 1000),
		    (int)(took_ms % 1000 / 100));
	hvr_events_tell(session->context->events, "ready", NULL, NULL);
	hvr_notify_ready("the guest is ready");
	if (!is_told_early(arrival->options))
		tell_waiting(arrival);
}

static gboolean on_late(gpointer user_data)
{
	HvrArrival *arrival = user_data;
	HvrSession *session = arrival->session;

	arrival->late = 0;
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
	hvr_message("VM '%s' is running (QEMU pid %d)", session->vm->name,
		    (int)session->vm->qemu.pid);
	hvr_events_tell_number(session->context->events, "running", "pid", session->vm->qemu.pid);
	show_boot(arrival);
	if (!session->vm->ready_set)
		hvr_notify_ready("the VM is running");
	if (is_told_early(arrival->options))
		tell_waiting(arrival);
}

void hvr_arrival_begin(HvrArrival *arrival, HvrSession *session, const HvrRunOptions *options,
		       HvrPorts *ports)
{
	*arrival = (HvrArrival){ .session = session,
				 .options = options,
				 .ports = ports,
				 .begin_us = g_get_monotonic_time() };
	arrival->on_terminal = session->profile->serial == HVR_SERIAL_STDIO &&
			       !options->serial_log && (options->front || isatty(STDOUT_FILENO));
	show_start(session);
	arrival->readiness = hvr_readiness_new(session, on_ready, arrival);
	hvr_qmp_client_execute(session->qmp, "query-status", NULL, GREETING_BASE_MS, on_greeted,
			       arrival);
	if (options->wait_ready_s)
		arrival->late =
			g_timeout_add_seconds((guint)options->wait_ready_s, on_late, arrival);
}

void hvr_arrival_end(HvrArrival *arrival)
{
	stop_timer(arrival);
	end_boot(arrival);
	g_clear_pointer(&arrival->readiness, hvr_readiness_free);
}
