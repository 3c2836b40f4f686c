/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command whose output the agent keeps until it has ended: what any guest can.
 *
 * Asking is the only way: the agent sends no events. So the question is repeated, more and more
 * seldom.
 */
#include "launcher/guest/capture.h"

#include "launcher/guest/conversation.h"
#include "launcher/guest/process.h"
#include "launcher/report/error.h"

/* The agent's guest-exec knows no signals, but the guest has a shell. Best effort. */
static void have_shell_do(HvrGuest *guest, const char *text)
{
	const char *const argv[] = { "sh", "-c", text, NULL };
	const HvrGuestProcess process = { .argv = argv };

	if (!hvr_guest_start(guest, &process, NULL))
		g_debug("the guest has no shell that would do: %s", text);
}

static void signal_command(HvrGuest *guest, int signal_number)
{
	g_autofree char *text =
		g_strdup_printf("kill -%d %" G_GINT64_FORMAT, signal_number, guest->pid);

	have_shell_do(guest, text);
}

/* And all below it, each stopped before it is asked for its children. */
static void kill_command(HvrGuest *guest)
{
	g_autofree char *text = g_strdup_printf(
		"k() { kill -STOP $1; for c in $(cat /proc/$1/task/*/children); do k $c; done; "
		"kill -KILL $1; }; k %" G_GINT64_FORMAT " 2>/dev/null",
		guest->pid);

	have_shell_do(guest, text);
}

typedef struct {
	const HvrGuestCommand *command;
	guint delay_ms;
	guint passed_on; /* of guest->signals */
	gboolean killed;
} Waiting;

/* Passes signals on, and ends what is late. FALSE: nothing more will come. */
static gboolean keep_waiting(HvrGuest *guest, Waiting *waiting)
{
	guint grace_ms = waiting->command->grace_ms;

	if (guest->signals > waiting->passed_on) {
		waiting->passed_on = guest->signals;
		signal_command(guest, guest->signal_number);
	}
	if (g_get_monotonic_time() < guest->deadline_us)
		return TRUE;
	if (waiting->killed)
		return FALSE;
	kill_command(guest);
	waiting->killed = TRUE;
	waiting->delay_ms = HVR_GUEST_ASK_FIRST_MS;
	hvr_guest_set_deadline(guest, grace_ms ? grace_ms : HVR_GUEST_GRACE_MS);
	return TRUE;
}

static gboolean wait_for_end(HvrGuest *guest, const HvrGuestCommand *command,
			     HvrGuestResult *out_result, GError **error)
{
	Waiting waiting = { .command = command, .delay_ms = HVR_GUEST_ASK_FIRST_MS };
	GError *cause = NULL;
	gboolean exited = FALSE;

	while (hvr_guest_ask_status(guest, guest->pid, &exited, out_result, &cause) && !exited) {
		if (!keep_waiting(guest, &waiting) ||
		    !hvr_guest_pause(guest, waiting.delay_ms, &cause))
			break;
		waiting.delay_ms = MIN(waiting.delay_ms * 2, HVR_GUEST_ASK_LAST_MS);
	}
	if (cause) {
		hvr_guest_explain(guest, error, cause);
		return FALSE;
	}
	if (!exited) {
		out_result->out = g_byte_array_new();
		out_result->err = g_byte_array_new();
	}
	out_result->timed_out = waiting.killed;
	if (waiting.killed)
		out_result->status = HVR_EXIT_TIMED_OUT;
	return TRUE;
}

gboolean hvr_guest_capture(HvrGuest *guest, const HvrGuestCommand *command,
			   HvrGuestResult *out_result, GError **error)
{
	const HvrGuestProcess process = { .argv = command->argv,
					  .input = command->input,
					  .input_bytes = command->input_bytes,
					  .capture = TRUE };
	HvrGuestResult result = { 0 };
	GError *cause = NULL;

	hvr_guest_set_deadline(guest, command->timeout_ms);
	guest->pid = hvr_guest_start(guest, &process, &cause);
	if (!guest->pid) {
		hvr_guest_explain_start(guest, command->argv[0], error, cause);
		return FALSE;
	}
	gboolean well = wait_for_end(guest, command, &result, error);
	guest->pid = 0;
	if (well)
		*out_result = result;
	return well;
}
