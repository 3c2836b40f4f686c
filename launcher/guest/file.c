/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of the guest, through its agent: a handle, pieces of bounded size, and the handle back. The
 * agent keeps handles for whoever asks, so each one is closed whatever happened meanwhile.
 */
#include "launcher/guest/file.h"

#include <errno.h>

#include "launcher/guest/conversation.h"
#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "qmp/error.h"
#include "vfio/fd.h"

#define FETCH_MAX_BYTES (G_GUINT64_CONSTANT(4) << 30)
#define FETCH_MS	600000

static JsonObject *handle_arguments(gint64 handle)
{
	JsonObject *arguments = json_object_new();

	json_object_set_int_member(arguments, "handle", handle);
	return arguments;
}

gint64 hvr_guest_file_open(HvrGuest *guest, const char *path, const char *mode, GError **error)
{
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "path", path);
	json_object_set_string_member(arguments, "mode", mode);
	g_autoptr(JsonNode) answer = hvr_guest_ask(guest, "guest-file-open", arguments, error);
	if (!answer)
		return -1;
	if (JSON_NODE_HOLDS_VALUE(answer) && json_node_get_value_type(answer) == G_TYPE_INT64 &&
	    json_node_get_int(answer) >= 0)
		return json_node_get_int(answer);
	g_propagate_error(error, hvr_guest_nonsense("guest-file-open"));
	return -1;
}

gboolean hvr_guest_file_close(HvrGuest *guest, gint64 handle, GError **error)
{
	g_autoptr(JsonNode) answer =
		hvr_guest_ask(guest, "guest-file-close", handle_arguments(handle), error);

	return answer != NULL;
}

GByteArray *hvr_guest_file_read(HvrGuest *guest, gint64 handle, gboolean *out_end, GError **error)
{
	JsonObject *arguments = handle_arguments(handle);

	json_object_set_int_member(arguments, "count", HVR_GUEST_FILE_BYTES);
	g_autoptr(JsonNode) answer = hvr_guest_ask(guest, "guest-file-read", arguments, error);
	if (!answer)
		return NULL;
	if (!JSON_NODE_HOLDS_OBJECT(answer)) {
		g_propagate_error(error, hvr_guest_nonsense("guest-file-read"));
		return NULL;
	}
	GByteArray *bytes = hvr_guest_get_bytes(answer, "buf-b64");
	*out_end = hvr_guest_get_true(answer, "eof") || bytes->len == 0;
	return bytes;
}

gboolean hvr_guest_file_write(HvrGuest *guest, gint64 handle, const void *bytes, gsize length,
			      GError **error)
{
	JsonObject *arguments = handle_arguments(handle);
	g_autofree char *text = g_base64_encode(bytes, length);
	gint64 count = 0;

	json_object_set_string_member(arguments, "buf-b64", text);
	g_autoptr(JsonNode) answer = hvr_guest_ask(guest, "guest-file-write", arguments, error);
	if (!answer)
		return FALSE;
	if (hvr_guest_get_int(answer, "count", &count) && count == (gint64)length)
		return TRUE;
	g_set_error(error, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE,
		    "the guest has not written all that it was given");
	return FALSE;
}

gboolean hvr_guest_file_put(HvrGuest *guest, const HvrGuestPiece *piece, GError **error)
{
	gint64 handle = hvr_guest_file_open(guest, piece->path, piece->mode, error);

	if (handle < 0)
		return FALSE;
	gboolean well = hvr_guest_file_write(guest, handle, piece->bytes, piece->length, error);
	/* What the agent's stdio still has is written now, or not. */
	return hvr_guest_file_close(guest, handle, well ? error : NULL) && well;
}

/* One that was only read: nothing is lost when it cannot be closed. */
static void give_back(HvrGuest *guest, gint64 handle)
{
	g_autoptr(GError) error = NULL;

	if (!hvr_guest_file_close(guest, handle, &error))
		g_debug("the agent keeps a file open: %s", error->message);
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
	g_autoptr(GByteArray) bytes =
		hvr_guest_file_read(reading->guest, reading->handle, &reading->end, error);

	if (!bytes)
		return FALSE;
	reading->bytes += bytes->len;
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
	reading.handle = hvr_guest_file_open(guest, file->path, "r", &cause);
	if (reading.handle >= 0) {
		gboolean well = read_all(&reading, &cause);
		give_back(guest, reading.handle);
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

	hvr_guest_set_deadline(guest, timeout_ms);
	if (!hvr_guest_reach(guest, hvr_guest_left_ms(guest, HVR_GUEST_ANSWER_MS), error))
		return NULL;
	gint64 handle = hvr_guest_file_open(guest, path, "r", &cause);
	if (handle >= 0) {
		give_back(guest, handle);
		return NULL;
	}
	if (g_error_matches(cause, HVR_QMP_ERROR, HVR_QMP_ERROR_REMOTE))
		return g_strdup(cause->message);
	hvr_guest_explain(guest, error, g_steal_pointer(&cause));
	return NULL;
}
