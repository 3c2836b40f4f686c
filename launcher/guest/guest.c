/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command in the guest: guest-exec starts it, guest-exec-status is asked until it has ended.
 *
 * Asking is the only way: the agent sends no events. So the question is repeated, after 20 ms at
 * first and half a second in the end, by timers. Between two late questions the channel, which
 * serves one client at a time, is given up, so that a command that runs for hours keeps nobody
 * else out.
 */
#include "launcher/guest/conversation.h"

#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "qmp/error.h"
#include "vfio/fd.h"

#define ASK_FIRST_MS 20
#define ASK_LAST_MS  500
#define GRACE_MS     10000

static gboolean on_signal(gint fd, GIOCondition condition, gpointer user_data)
{
	HvrGuest *guest = user_data;
	int signal_number = hvr_interrupt_take();

	if (signal_number == 0)
		return G_SOURCE_CONTINUE;
	guest->signal_number = signal_number;
	guest->signals++;
	hvr_interrupt_note(signal_number);
	if (guest->agent && (!guest->pid || guest->signals > 1))
		hvr_agent_cancel(guest->agent);
	return G_SOURCE_CONTINUE;
}

static gboolean on_cancel(gpointer user_data)
{
	HvrGuest *guest = user_data;

	if (guest->pid)
		return G_SOURCE_CONTINUE;
	guest->cancel_timer = 0;
	guest->cancelled = TRUE;
	if (guest->agent)
		hvr_agent_cancel(guest->agent);
	return G_SOURCE_REMOVE;
}

void hvr_guest_cancel_at(HvrGuest *guest, gint64 deadline_us)
{
	gint64 left_ms = (deadline_us - g_get_monotonic_time()) / 1000 + 1;

	if (guest->cancel_timer)
		g_source_remove(guest->cancel_timer);
	guest->cancel_timer = 0;
	guest->cancelled = deadline_us && left_ms <= 0;
	if (deadline_us && left_ms > 0)
		guest->cancel_timer =
			g_timeout_add((guint)MIN(left_ms, G_MAXINT), on_cancel, guest);
}

static gboolean on_time(gpointer user_data)
{
	*(gboolean *)user_data = TRUE;
	return G_SOURCE_CONTINUE;
}

/* Until the time is over or a signal comes. */
static void wait_ms(HvrGuest *guest, guint ms)
{
	guint signals = guest->signals;
	gboolean over = FALSE;
	guint timer = g_timeout_add(ms, on_time, &over);

	while (!over && guest->signals == signals)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(timer);
}

void hvr_guest_set_deadline(HvrGuest *guest, guint timeout_ms)
{
	guest->deadline_us = G_MAXINT64;
	if (timeout_ms)
		guest->deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
}

guint hvr_guest_left_ms(const HvrGuest *guest, guint most_ms)
{
	gint64 left = (guest->deadline_us - g_get_monotonic_time()) / 1000;

	return (guint)CLAMP(left, 100, (gint64)most_ms);
}

void hvr_guest_explain(const HvrGuest *guest, GError **error, GError *cause)
{
	HvrLaunchError code = HVR_LAUNCH_ERROR_UNAVAILABLE;

	if (guest->signals)
		code = HVR_LAUNCH_ERROR_BUSY;
	if (g_error_matches(cause, HVR_QMP_ERROR, HVR_QMP_ERROR_TIMEOUT))
		code = HVR_LAUNCH_ERROR_BUSY;
	g_set_error(error, HVR_LAUNCH_ERROR, code, "VM '%s': %s", guest->name, cause->message);
	if (g_error_matches(cause, HVR_QMP_ERROR, HVR_QMP_ERROR_TIMEOUT))
		hvr_error_hint(error, "is the guest up, is qemu-guest-agent installed and running "
				      "in it, and does nobody else use the agent's socket?");
	else if (g_error_matches(cause, HVR_QMP_ERROR, HVR_QMP_ERROR_REFUSED))
		hvr_error_hint(error, "the guest's agent is too old, or its configuration blocks "
				      "this command (block-rpcs, allow-rpcs)");
	else if (g_error_matches(cause, HVR_QMP_ERROR, HVR_QMP_ERROR_PROTOCOL))
		hvr_error_hint(error,
			       "at most %d MiB are taken from the agent at once; let the "
			       "command write into a file",
			       HVR_AGENT_LINE_MAX_BYTES / 1024 / 1024);
	g_error_free(cause);
}

gboolean hvr_guest_reach(HvrGuest *guest, guint timeout_ms, GError **error)
{
	GError *cause = NULL;

	if (guest->signals && !guest->pid) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "interrupted");
		return FALSE;
	}
	if (guest->cancelled && !guest->pid) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "the time is over");
		return FALSE;
	}
	if (guest->agent && !hvr_agent_is_closed(guest->agent))
		return TRUE;
	g_clear_pointer(&guest->agent, hvr_agent_free);
	guest->agent = hvr_agent_connect(guest->folder, HVR_VM_AGENT, NULL, &cause);
	if (!guest->agent) {
		hvr_guest_explain(guest, error, cause);
		return FALSE;
	}
	g_autoptr(JsonNode) synced = hvr_agent_call(guest->agent, NULL, NULL, timeout_ms, &cause);
	if (!synced)
		hvr_guest_explain(guest, error, cause);
	return synced != NULL;
}

JsonNode *hvr_guest_ask(HvrGuest *guest, const char *command, JsonObject *arguments, GError **error)
{
	return hvr_agent_call(guest->agent, command, arguments,
			      hvr_guest_left_ms(guest, HVR_GUEST_ANSWER_MS), error);
}

HvrGuest *hvr_guest_open(const HvrContext *context, const HvrVm *vm, guint timeout_ms,
			 GError **error)
{
	g_auto(HvrFd) folder = hvr_vm_open_folder(context->runtime, vm->name);
	if (folder < 0 || faccessat(folder, HVR_VM_AGENT, F_OK, 0) < 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "VM '%s' has no channel to a guest agent", vm->name);
		hvr_error_hint(error, "its profile needs [guest] agent = yes");
		return NULL;
	}
	g_autoptr(HvrGuest) guest = g_new0(HvrGuest, 1);
	guest->folder = g_steal_fd(&folder);
	guest->name = g_strdup(vm->name);
	guest->deadline_us = G_MAXINT64;
	g_unix_fd_add(hvr_interrupt_fd(), G_IO_IN, on_signal, guest);
	if (!hvr_guest_reach(guest, timeout_ms, error))
		return NULL;
	return g_steal_pointer(&guest);
}

void hvr_guest_free(HvrGuest *guest)
{
	if (!guest)
		return;
	while (g_source_remove_by_user_data(guest))
		;
	hvr_agent_free(guest->agent);
	hvr_fd_close(guest->folder);
	g_free(guest->name);
	g_free(guest);
}

gboolean hvr_guest_is_lost(const HvrGuest *guest)
{
	return !guest->agent || hvr_agent_is_closed(guest->agent);
}

void hvr_guest_result_clear(HvrGuestResult *result)
{
	g_clear_pointer(&result->out, g_byte_array_unref);
	g_clear_pointer(&result->err, g_byte_array_unref);
}

static JsonObject *exec_arguments(const char *const *argv, const guint8 *input, gsize input_bytes)
{
	JsonObject *arguments = json_object_new();
	JsonArray *words = json_array_new();

	json_object_set_string_member(arguments, "path", argv[0]);
	for (const char *const *word = argv + 1; *word; word++)
		json_array_add_string_element(words, *word);
	json_object_set_array_member(arguments, "arg", words);
	json_object_set_boolean_member(arguments, "capture-output", TRUE);
	if (input_bytes) {
		g_autofree char *text = g_base64_encode(input, input_bytes);
		json_object_set_string_member(arguments, "input-data", text);
	}
	return arguments;
}

GError *hvr_guest_nonsense(const char *command)
{
	return g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_PROTOCOL,
			   "the guest agent's answer to %s makes no sense", command);
}

/* NULL: there is none of this type. */
static JsonNode *get_member(JsonNode *answer, const char *name, GType type)
{
	if (!JSON_NODE_HOLDS_OBJECT(answer))
		return NULL;
	JsonNode *node = json_object_get_member(json_node_get_object(answer), name);
	if (!node || json_node_get_value_type(node) != type)
		return NULL;
	return node;
}

static gboolean get_int(JsonNode *answer, const char *name, gint64 *out)
{
	JsonNode *node = get_member(answer, name, G_TYPE_INT64);

	if (node)
		*out = json_node_get_int(node);
	return node != NULL;
}

gboolean hvr_guest_get_true(JsonNode *answer, const char *name)
{
	JsonNode *node = get_member(answer, name, G_TYPE_BOOLEAN);

	return node && json_node_get_boolean(node);
}

/* Base64 */
GByteArray *hvr_guest_get_bytes(JsonNode *answer, const char *name)
{
	JsonNode *node = get_member(answer, name, G_TYPE_STRING);
	gsize length = 0;

	if (!node)
		return g_byte_array_new();
	guint8 *bytes = g_base64_decode(json_node_get_string(node), &length);
	return g_byte_array_new_take(bytes, length);
}

gboolean hvr_guest_decode(JsonNode *answer, gboolean *out_exited, HvrGuestResult *out_result,
			  GError **error)
{
	gint64 code = 0, signal_number = 0;

	*out_exited = hvr_guest_get_true(answer, "exited");
	if (!*out_exited) {
		if (JSON_NODE_HOLDS_OBJECT(answer))
			return TRUE;
		g_propagate_error(error, hvr_guest_nonsense("guest-exec-status"));
		return FALSE;
	}
	gboolean has_signal = get_int(answer, "signal", &signal_number);
	if ((!get_int(answer, "exitcode", &code) && !has_signal) || code < 0 || code > 255 ||
	    signal_number < 0 || signal_number > 64) {
		g_propagate_error(error, hvr_guest_nonsense("guest-exec-status"));
		return FALSE;
	}
	out_result->status = (int)code;
	if (has_signal)
		out_result->status = 128 + (int)signal_number;
	out_result->out = hvr_guest_get_bytes(answer, "out-data");
	out_result->err = hvr_guest_get_bytes(answer, "err-data");
	out_result->truncated = hvr_guest_get_true(answer, "out-truncated") ||
				hvr_guest_get_true(answer, "err-truncated");
	return TRUE;
}

/* The agent's guest-exec knows no signals, but the guest has a shell. Best effort. */
static void have_shell_do(HvrGuest *guest, const char *text)
{
	const char *const argv[] = { "sh", "-c", text, NULL };
	g_autoptr(JsonNode) answer =
		hvr_guest_ask(guest, "guest-exec", exec_arguments(argv, NULL, 0), NULL);
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

/* The agent's words are GLib's: "Failed to execute child process “prog” (No such file or
 * directory)", in any guest, since the agent never calls setlocale(3) (qga/main.c). 0: it was not
 * that. */
static int not_executed(const GError *cause)
{
	const char *why = g_strrstr(cause->message, "(");

	if (!g_error_matches(cause, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE) ||
	    !strstr(cause->message, "Failed to execute child process"))
		return 0;
	if (why && g_str_has_prefix(why, "(No such file or directory)"))
		return HVR_COMMAND_ERROR_NOT_FOUND;
	return HVR_COMMAND_ERROR_NOT_EXECUTABLE;
}

/* @cause: (transfer full) */
static void explain_start(const HvrGuest *guest, const char *name, GError **error, GError *cause)
{
	int code = not_executed(cause);

	if (code) {
		g_set_error(error, HVR_COMMAND_ERROR, code, "VM '%s': cannot run '%s': %s",
			    guest->name, name, cause->message);
		g_error_free(cause);
		return;
	}
	g_prefix_error(&cause, "cannot run '%s': ", name);
	hvr_guest_explain(guest, error, cause);
}

static gboolean start(HvrGuest *guest, const HvrGuestCommand *command, GError **error)
{
	g_autoptr(JsonNode) answer = hvr_guest_ask(
		guest, "guest-exec",
		exec_arguments(command->argv, command->input, command->input_bytes), error);

	if (!answer)
		return FALSE;
	if (get_int(answer, "pid", &guest->pid) && guest->pid > 0)
		return TRUE;
	guest->pid = 0;
	g_propagate_error(error, hvr_guest_nonsense("guest-exec"));
	return FALSE;
}

static gboolean ask_status(HvrGuest *guest, gboolean *out_exited, HvrGuestResult *out_result,
			   GError **error)
{
	JsonObject *arguments = json_object_new();

	json_object_set_int_member(arguments, "pid", guest->pid);
	/* The deadline is the command's; an answer with much output takes its time. */
	guint answer_ms = MAX(hvr_guest_left_ms(guest, HVR_GUEST_ANSWER_MS), GRACE_MS);
	g_autoptr(JsonNode) answer =
		hvr_agent_call(guest->agent, "guest-exec-status", arguments, answer_ms, error);
	return answer && hvr_guest_decode(answer, out_exited, out_result, error);
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
	waiting->delay_ms = ASK_FIRST_MS;
	hvr_guest_set_deadline(guest, grace_ms ? grace_ms : GRACE_MS);
	return TRUE;
}

/* Gives the channel up while nothing is to be said. */
static gboolean pause_ms(HvrGuest *guest, guint ms, GError **error)
{
	gboolean give_up = ms >= ASK_LAST_MS;

	if (give_up)
		g_clear_pointer(&guest->agent, hvr_agent_free);
	wait_ms(guest, MIN(ms, hvr_guest_left_ms(guest, ms)));
	return !give_up ||
	       hvr_guest_reach(guest,
			       MAX(hvr_guest_left_ms(guest, HVR_GUEST_ANSWER_MS), ASK_LAST_MS),
			       error);
}

static gboolean wait_for_end(HvrGuest *guest, const HvrGuestCommand *command,
			     HvrGuestResult *out_result, GError **error)
{
	Waiting waiting = { .command = command, .delay_ms = ASK_FIRST_MS };
	GError *cause = NULL;
	gboolean exited = FALSE;

	while (ask_status(guest, &exited, out_result, &cause) && !exited) {
		if (!keep_waiting(guest, &waiting))
			break;
		if (!pause_ms(guest, waiting.delay_ms, error))
			return FALSE;
		waiting.delay_ms = MIN(waiting.delay_ms * 2, ASK_LAST_MS);
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

gboolean hvr_guest_run(HvrGuest *guest, const HvrGuestCommand *command, HvrGuestResult *out_result,
		       GError **error)
{
	HvrGuestResult result = { 0 };
	GError *cause = NULL;

	hvr_guest_set_deadline(guest, command->timeout_ms);
	if (!hvr_guest_reach(guest, hvr_guest_left_ms(guest, HVR_GUEST_ANSWER_MS), error))
		return FALSE;
	if (!start(guest, command, &cause)) {
		explain_start(guest, command->argv[0], error, cause);
		return FALSE;
	}
	gboolean well = wait_for_end(guest, command, &result, error);
	guest->pid = 0;
	if (well)
		*out_result = result;
	return well;
}
