/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conversation with a guest's agent: its channel, which serves one client at a time and is
 * given up between two questions, and how long an answer may take.
 */
#include "launcher/guest/conversation.h"

#include <glib-unix.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "qmp/error.h"
#include "vfio/fd.h"

/* Others are waiting, perhaps. */
#define HOLD_US (2 * G_USEC_PER_SEC)

#define LEAST_MS 100

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

	guest->cancel_timer = 0;
	guest->cancelled = TRUE;
	if (guest->agent && !guest->pid)
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

void hvr_guest_wait(HvrGuest *guest, guint ms)
{
	guint signals = guest->signals;
	gboolean over = FALSE;
	guint timer = g_timeout_add(ms, on_time, &over);

	while (!over && !guest->woken && guest->signals == signals)
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

	return (guint)CLAMP(left, (gint64)MAX(guest->patience_ms, LEAST_MS), (gint64)most_ms);
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

/* Errors: in HVR_QMP_ERROR */
static gboolean take_channel(HvrGuest *guest, guint timeout_ms, GError **error)
{
	if (guest->signals && !guest->pid) {
		g_set_error(error, HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED, "interrupted");
		return FALSE;
	}
	if (guest->cancelled && !guest->pid) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "the time is over");
		return FALSE;
	}
	if (guest->agent && !hvr_agent_is_closed(guest->agent))
		return TRUE;
	g_clear_pointer(&guest->agent, hvr_agent_free);
	guest->agent = hvr_agent_connect(guest->folder, HVR_VM_AGENT, NULL, error);
	if (!guest->agent)
		return FALSE;
	guest->since_us = g_get_monotonic_time();
	g_autoptr(JsonNode) synced = hvr_agent_call(guest->agent, NULL, NULL, timeout_ms, error);
	return synced != NULL;
}

gboolean hvr_guest_reach(HvrGuest *guest, guint timeout_ms, GError **error)
{
	GError *cause = NULL;
	gboolean well = take_channel(guest, timeout_ms, &cause);

	if (!well)
		hvr_guest_explain(guest, error, cause);
	return well;
}

gboolean hvr_guest_pause(HvrGuest *guest, guint ms, GError **error)
{
	gint64 left_ms = (guest->deadline_us - g_get_monotonic_time()) / 1000;
	gboolean give_up = ms >= HVR_GUEST_ASK_LAST_MS;

	if (give_up)
		g_clear_pointer(&guest->agent, hvr_agent_free);
	hvr_guest_wait(guest, (guint)CLAMP(left_ms, 1, (gint64)ms));
	if (!give_up)
		return TRUE;
	guint answer_ms = hvr_guest_left_ms(guest, HVR_GUEST_ANSWER_MS);
	return take_channel(guest, MAX(answer_ms, HVR_GUEST_ASK_LAST_MS), error);
}

gboolean hvr_guest_share(HvrGuest *guest, GError **error)
{
	if (g_get_monotonic_time() - guest->since_us < HOLD_US)
		return TRUE;
	g_clear_pointer(&guest->agent, hvr_agent_free);
	return take_channel(guest, HVR_GUEST_ANSWER_MS, error);
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

gboolean hvr_guest_get_int(JsonNode *answer, const char *name, gint64 *out)
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
