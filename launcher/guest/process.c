/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process of the guest: guest-exec starts it, guest-exec-status is asked what has become of it,
 * as the agent sends no events.
 */
#include "launcher/guest/process.h"

#include <string.h>

#include "launcher/guest/conversation.h"
#include "launcher/report/error.h"
#include "qmp/error.h"

void hvr_guest_result_clear(HvrGuestResult *result)
{
	g_clear_pointer(&result->out, g_byte_array_unref);
	g_clear_pointer(&result->err, g_byte_array_unref);
}

static JsonObject *exec_arguments(const HvrGuestProcess *process)
{
	const char *const *argv = process->argv;
	JsonObject *arguments = json_object_new();
	JsonArray *words = json_array_new();

	json_object_set_string_member(arguments, "path", argv[0]);
	for (const char *const *word = argv + 1; *word; word++)
		json_array_add_string_element(words, *word);
	json_object_set_array_member(arguments, "arg", words);
	json_object_set_boolean_member(arguments, "capture-output", process->capture);
	if (process->input_bytes) {
		g_autofree char *text = g_base64_encode(process->input, process->input_bytes);
		json_object_set_string_member(arguments, "input-data", text);
	}
	return arguments;
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
	gboolean has_signal = hvr_guest_get_int(answer, "signal", &signal_number);
	if ((!hvr_guest_get_int(answer, "exitcode", &code) && !has_signal) || code < 0 ||
	    code > 255 || signal_number < 0 || signal_number > 64) {
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

void hvr_guest_explain_start(const HvrGuest *guest, const char *name, GError **error, GError *cause)
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

gint64 hvr_guest_start(HvrGuest *guest, const HvrGuestProcess *process, GError **error)
{
	g_autoptr(JsonNode) answer =
		hvr_guest_ask(guest, "guest-exec", exec_arguments(process), error);
	gint64 pid = 0;

	if (!answer)
		return 0;
	if (hvr_guest_get_int(answer, "pid", &pid) && pid > 0)
		return pid;
	g_propagate_error(error, hvr_guest_nonsense("guest-exec"));
	return 0;
}

gboolean hvr_guest_ask_status(HvrGuest *guest, gint64 pid, gboolean *out_exited,
			      HvrGuestResult *out_result, GError **error)
{
	JsonObject *arguments = json_object_new();

	json_object_set_int_member(arguments, "pid", pid);
	/* The deadline is the command's; an answer with much output takes its time. */
	guint answer_ms = MAX(hvr_guest_left_ms(guest, HVR_GUEST_ANSWER_MS), HVR_GUEST_GRACE_MS);
	g_autoptr(JsonNode) answer =
		hvr_agent_call(guest->agent, "guest-exec-status", arguments, answer_ms, error);
	return answer && hvr_guest_decode(answer, out_exited, out_result, error);
}

gboolean hvr_guest_await(HvrGuest *guest, gint64 pid, guint most_ms, HvrGuestResult *out_result,
			 GError **error)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)most_ms * 1000;
	guint delay_ms = HVR_GUEST_ASK_FIRST_MS;
	gboolean exited = FALSE;

	while (hvr_guest_ask_status(guest, pid, &exited, out_result, error)) {
		if (exited)
			return TRUE;
		if (g_get_monotonic_time() >= deadline_us) {
			g_set_error(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE,
				    "the guest's shell does not end");
			return FALSE;
		}
		hvr_guest_wait(guest, delay_ms);
		delay_ms = MIN(delay_ms * 2, HVR_GUEST_ASK_LAST_MS);
	}
	return FALSE;
}
