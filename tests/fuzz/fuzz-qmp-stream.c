/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes from the peer of a stream, cut anywhere.
 *
 * The first byte says into how long pieces the rest is cut (0: one piece). What must hold: each
 * object that is told is within the depth and can be written and read again unchanged; the end
 * comes exactly once, at the latest with the peer's; nothing comes behind it.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qmp/error.h"
#include "qmp/stream.h"
#include "qmp/syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static guint ended;

static gboolean has_double(JsonNode *node);

static void note_double(JsonObject *object, const char *name, JsonNode *node, gpointer found)
{
	*(gboolean *)found |= has_double(node);
}

static gboolean has_double(JsonNode *node)
{
	gboolean found = FALSE;

	if (JSON_NODE_HOLDS_VALUE(node))
		return json_node_get_value_type(node) == G_TYPE_DOUBLE;
	if (JSON_NODE_HOLDS_OBJECT(node))
		json_object_foreach_member(json_node_get_object(node), note_double, &found);
	if (JSON_NODE_HOLDS_ARRAY(node)) {
		JsonArray *array = json_node_get_array(node);

		for (guint i = 0; i < json_array_get_length(array); i++)
			found |= has_double(json_array_get_element(array, i));
	}
	return found;
}

static void on_object(HvrQmpStream *stream, JsonObject *object, gpointer user_data)
{
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
	g_autofree char *text = json_to_string(node, FALSE);
	g_autoptr(JsonNode) again = json_from_string(text, NULL);
	g_autofree char *text_again = again ? json_to_string(again, FALSE) : NULL;

	g_assert(ended == 0);
	/* json-glib 1.6 writes 1e40 as "1e+40.0" and 1e400 as "inf", neither of which is JSON. */
	if (!has_double(node))
		g_assert_cmpstr(text, ==, text_again);
	hvr_qmp_stream_send(stream, object);
}

static void on_ended(HvrQmpStream *stream, const GError *error, gpointer user_data)
{
	g_assert(error->domain == HVR_QMP_ERROR && error->message[0]);
	g_assert(ended == 0);
	ended++;
}

static void settle(GMainContext *context)
{
	while (g_main_context_iteration(context, FALSE))
		;
}

static void feed(GMainContext *context, int peer, const uint8_t *data, size_t size, size_t piece)
{
	static char sink[65536];

	while (size > 0 && ended == 0) {
		ssize_t n = send(peer, data, MIN(size, piece), MSG_DONTWAIT | MSG_NOSIGNAL);

		g_assert(n > 0 || errno == EAGAIN || errno == EPIPE);
		if (n > 0) {
			data += n;
			size -= n;
		}
		settle(context);
		while (recv(peer, sink, sizeof(sink), MSG_DONTWAIT) > 0)
			;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const HvrQmpStreamHandlers handlers = { on_object, on_ended };
	g_autoptr(GMainContext) context = g_main_context_new();
	HvrQmpStream *stream;
	int fds[2];

	if (size == 0)
		return 0;
	ended = 0;
	g_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	stream = hvr_qmp_stream_new(fds[1], context, &handlers, NULL);
	feed(context, fds[0], data + 1, size - 1, data[0] ? data[0] : size);
	close(fds[0]);
	settle(context);
	g_assert(ended == 1);
	hvr_qmp_stream_free(stream);
	return 0;
}
