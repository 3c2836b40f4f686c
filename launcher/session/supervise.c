/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/supervise.h"

#include <sys/wait.h>

#include "launcher/parts/parts.h"
#include "launcher/parts/server.h"
#include "launcher/process/interrupt.h"
#include "launcher/qemu/output.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"
#include "launcher/session/arrival.h"
#include "launcher/session/control.h"
#include "launcher/session/ending.h"
#include "launcher/session/hotplug.h"
#include "launcher/session/panic.h"
#include "launcher/session/pins.h"
#include "launcher/session/places.h"
#include "launcher/session/reason.h"
#include "launcher/session/screen.h"
#include "launcher/session/serial-held.h"
#include "launcher/session/session.h"
#include "launcher/session/stay.h"
#include "launcher/session/verdict.h"

static void tell_ended(const HvrSession *session)
{
	int status = session->wait_status;

	if (WIFSIGNALED(status))
		hvr_events_tell_number(session->context->events, "ended", "signal",
				       WTERMSIG(status));
	else
		hvr_events_tell_number(session->context->events, "ended", "status",
				       WEXITSTATUS(status));
}

/* @end, @left: (transfer full): how QEMU ended, and why its cards could not be given back; where it
 * is both, the latter is what the run ends with. */
static gboolean tell_both(GError *end, GError *left, GError **error)
{
	if (left && end) {
		hvr_message_error(end);
		g_error_free(end);
	}
	if (left)
		end = left;
	if (end)
		g_propagate_error(error, end);
	return !end;
}

/* The last lines say where the cards are. */
static void finish(const HvrSupervise *run, HvrSession *session, const HvrReason *reason,
		   const GError *end, GError **left)
{
	g_auto(HvrPlaces) places = { 0 };
	g_autofree char *why = hvr_reason_text(reason, end);
	HvrEndedHow how = { .why = why };

	if (end)
		how.status = hvr_exit_status(end);
	else if (hvr_interrupt_pending())
		how.status = 128 + hvr_interrupt_pending();
	hvr_places_remember(&places, run->context, session->vm);
	hvr_ending_finish(run->context, session->vm, &how, session->locks, left);
	hvr_places_tell(&places, NULL, FALSE);
}

/* What was locked for the VM is the session's now. */
static void take_over(HvrSession *session, GPtrArray *locks)
{
	while (locks->len)
		g_ptr_array_add(session->locks, g_ptr_array_steal_index_fast(locks, 0));
}

gboolean hvr_supervise(const HvrSupervise *run, GError **error)
{
	HvrStarted *started = run->started;
	HvrQemuOutput *output = hvr_qemu_output_new(started->output, run->profile->qemu_binary);
	HvrQemuOutput *others = hvr_qemu_output_new(started->others, NULL);
	const HvrSessionStart start = {
		.context = run->context,
		.profile = run->profile,
		.vm = run->vm,
		.folder = run->folder,
		.pidfd = started->pidfd,
		.qmp = hvr_qmp_client_new(started->monitor, NULL),
	};
	g_autoptr(HvrSession) session = hvr_session_new(&start);
	g_autoptr(HvrHotplug) hotplug = hvr_hotplug_new(session);
	g_auto(HvrSerialHeld) serial = { .foreground = -1 };
	HvrScreen *screen = hvr_screen_new(session, started->screen);
	HvrArrival arrival;
	GError *end = NULL, *left = NULL;

	hvr_serial_hold(&serial, &started->serial, run->profile, run->options);
	session->child = TRUE;
	session->serial = serial.hub;
	session->attached = run->options->attached;
	hvr_session_watch_front(session, run->options->front);
	hvr_servers_watch(started->servers);
	session->vm->qemu = hvr_process_of(&run->context->host, started->pid);
	take_over(session, run->decision->claim->locks);
	HvrControl *control = hvr_control_new(hotplug, started->control);
	hvr_session_save(session);
	const HvrArrivalStart comes = { .hotplug = hotplug,
					.options = run->options,
					.decision = run->decision,
					.ports = &started->ports };
	hvr_arrival_begin(&arrival, &comes);
	hvr_pins_begin(session, run->decision->facts->user);
	HvrPanic *panic = hvr_panic_new(session);
	HvrReason *reason = hvr_reason_new(session);
	hvr_session_run(session);

	hvr_panic_free(panic);
	hvr_serial_held_stop(&serial);
	hvr_screen_free(screen);
	hvr_arrival_end(&arrival);
	tell_ended(session);
	hvr_hotplug_finish(hotplug);
	hvr_qemu_output_drain(others);
	hvr_qemu_output_drain(output);
	hvr_verdict(session, arrival.answered, hvr_qemu_output_meaning(output), run->kmsg, &end);
	/* The guest has not begun before that, so that nothing of it is in them. */
	if (!arrival.answered)
		hvr_parts_remove(run->decision->parts);
	finish(run, session, reason, end, &left);
	hvr_reason_free(reason);
	hvr_servers_end(started->servers);
	hvr_serial_held_judge(&serial, run->profile, run->decision->facts->user);
	/* Whoever asked for the end may start the same VM again as soon as it is told. */
	hvr_session_stopped(session, left);
	hvr_control_free(control);
	hvr_qemu_output_free(output);
	hvr_qemu_output_free(others);
	hvr_serial_held_clear(&serial);
	return tell_both(end, left, error);
}
