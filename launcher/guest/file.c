/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of the guest, through its agent: a handle, pieces of bounded size, and the handle back. The
 * agent keeps handles for whoever asks, so each one is closed whatever happened meanwhile.
 */
#include "launcher/guest/conversation.h"

#include <errno.h>
#include <unistd.h>

#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "qmp/error.h"
#include "vfio/fd.h"

/* What one guest-file-read asks for. QEMU's agent has no limit below 48 MiB; ours is a line. */
#define READ_BYTES (1024 * 1024)

#define FETCH_MAX_BYTES (G_GUINT64_CONSTANT(4) << 30)
#define FETCH_MS	600000

static JsonObject *handle_arguments(gint64 handle)
{
	JsonObject *arguments = json_object_new();

	json_object_set_int_member(arguments, "handle", handle);
	return arguments;
}

static gboolean file_open(HvrGuest *guest, const char *path, gint64 *out_handle, GError **error)
{
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "path", path);
	json_object_set_string_member(arguments, "mode", "r");
	g_autoptr(JsonNode) answer = hvr_guest_ask(guest, "guest-file-open", arguments, error);
	if (!answer)
		return FALSE;
	if (JSON_NODE_HOLDS_VALUE(answer) && json_node_get_value_type(answer) == G_TYPE_INT64) {
		*out_handle = json_node_get_int(answer);
		return TRUE;
	}
	g_propagate_error(error, hvr_guest_nonsense("guest-file-open"));
	return FALSE;
}

static void file_close(HvrGuest *guest, gint64 handle)
{
	g_autoptr(JsonNode) answer =
		hvr_guest_ask(guest, "guest-file-close", handle_arguments(handle), NULL);
}

/* A file that is being read. */
typedef struct {
	HvrGuest *guest;
	const HvrGuestFile *file;
	gint64 handle;
	guint64 bytes; /* so far */
	gboolean end;
} Reading;

static gboolean read_piece(Reading *reading, GError **error)
{
	JsonObject *arguments = handle_arguments(reading->handle);

	json_object_set_int_member(arguments, "count", READ_BYTES);
	g_autoptr(JsonNode) answer =
		hvr_guest_ask(reading->guest, "guest-file-read", arguments, error);
	if (!answer)
		return FALSE;
	if (!JSON_NODE_HOLDS_OBJECT(answer)) {
		g_propagate_error(error, hvr_guest_nonsense("guest-file-read"));
		return FALSE;
	}
	g_autoptr(GByteArray) bytes = hvr_guest_get_bytes(answer, "buf-b64");
	reading->bytes += bytes->len;
	reading->end = hvr_guest_get_true(answer, "eof") || bytes->len == 0;
	if (hvr_fd_write_all(reading->file->out_fd, bytes->data, bytes->len))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL, "cannot write: %s",
		    g_strerror(errno));
	return FALSE;
}

static gboolean refuse_unended(const Reading *reading, HvrQmpError code, GError **error)
{
	g_set_error(error, HVR_QMP_ERROR, code,
		    "%" G_GUINT64_FORMAT " bytes came, and no end of the file", reading->bytes);
	return FALSE;
}

static gboolean read_all(Reading *reading, GError **error)
{
	while (!reading->end) {
		if (!read_piece(reading, error))
			return FALSE;
		if (reading->bytes > reading->file->max_bytes)
			return refuse_unended(reading, HVR_QMP_ERROR_REMOTE, error);
		if (g_get_monotonic_time() >= reading->guest->deadline_us)
			return refuse_unended(reading, HVR_QMP_ERROR_TIMEOUT, error);
	}
	return TRUE;
}

gboolean hvr_guest_read(HvrGuest *guest, const HvrGuestFile *file, GError **error)
{
	Reading reading = { .guest = guest, .file = file };
	GError *cause = NULL;

	hvr_guest_set_deadline(guest, file->timeout_ms);
	if (!hvr_guest_reach(guest, hvr_guest_left_ms(guest, HVR_GUEST_ANSWER_MS), error))
		return FALSE;
	if (file_open(guest, file->path, &reading.handle, &cause)) {
		gboolean well = read_all(&reading, &cause);
		file_close(guest, reading.handle);
		if (well)
			return TRUE;
	}
	g_prefix_error(&cause, "%s: ", file->path);
	hvr_guest_explain(guest, error, cause);
	return FALSE;
}

gboolean hvr_guest_fetch(HvrGuest *guest, const char *from, const char *to, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();
	HvrOpen target = { .path = to, .how = HVR_OPEN_REPLACE, .fd = -1 };

	if (!hvr_open(caller, &target, 1)) {
		hvr_open_fail(error, HVR_LAUNCH_ERROR_KERNEL, "--fetch", caller, &target);
		return FALSE;
	}
	g_auto(HvrFd) fd = target.fd;
	const HvrGuestFile file = {
		.path = from, .out_fd = fd, .max_bytes = FETCH_MAX_BYTES, .timeout_ms = FETCH_MS
	};
	return hvr_guest_read(guest, &file, error);
}

char *hvr_guest_try_open(HvrGuest *guest, const char *path, guint timeout_ms, GError **error)
{
	g_autoptr(GError) cause = NULL;
	gint64 handle = 0;

	hvr_guest_set_deadline(guest, timeout_ms);
	if (!hvr_guest_reach(guest, hvr_guest_left_ms(guest, HVR_GUEST_ANSWER_MS), error))
		return NULL;
	if (file_open(guest, path, &handle, &cause)) {
		file_close(guest, handle);
		return NULL;
	}
	if (g_error_matches(cause, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE))
		return g_strdup(cause->message);
	hvr_guest_explain(guest, error, g_steal_pointer(&cause));
	return NULL;
}
