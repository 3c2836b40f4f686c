/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests from other processes, one JSON object a line.
 *
 * A peer may go away before its answer is there. So a request holds a reference to its peer, and a
 * peer without a stream is one that nobody listens to any more.
 */
#include "launcher/session/control.h"

#include <glib-unix.h>
#include <sys/socket.h>

#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "launcher/session/request.h"
#include "qmp/stream.h"
#include "vfio/fd.h"

/* Whoever may connect may stop the VM, but a QEMU of a plain user may, too: it is nobody's to fill
 * our memory. */
#define PEERS_MAX 64
#define ASKED_MAX 256

/* Requests that are not answered yet, also those of peers that are gone. */
static guint n_asked;

struct HvrControl {
	HvrHotplug *hotplug;
	int fd;
	GPtrArray *peers; /* of Peer */
};

typedef struct {
	gatomicrefcount refs;
	HvrControl *control;  /* NULL: the control is gone */
	HvrQmpStream *stream; /* NULL: the peer is gone */
} Peer;

/* One request of a peer. */
typedef struct {
	HvrRequestJob job; /* first: it is what .done gets */
	Peer *peer;
	JsonNode *id; /* NULL: none was given */
} Asked;

static void peer_unref(Peer *peer)
{
	if (!g_atomic_ref_count_dec(&peer->refs))
		return;
	hvr_qmp_stream_free(peer->stream);
	g_free(peer);
}

static void send_answer(const Asked *asked, const char *member, JsonObject *answer)
{
	g_autoptr(JsonObject) message = json_object_new();

	json_object_set_object_member(message, member, answer);
	if (asked->id)
		json_object_set_member(message, "id", json_node_copy(asked->id));
	if (asked->peer->stream)
		hvr_qmp_stream_send(asked->peer->stream, message);
}

static void asked_free(Asked *asked)
{
	g_clear_pointer(&asked->id, json_node_unref);
	n_asked--;
	peer_unref(asked->peer);
	g_free(asked);
}

static void add_ending(const HvrSession *session, JsonObject *result)
{
	HvrShutdownStage stage = hvr_shutdown_stage(session->shutdown);

	if (session->qemu_ended)
		hvr_json_set_string(result, HVR_CONTROL_ENDED_BY, hvr_shutdown_word(stage));
}

/* HvrSessionDone: the end of every request that was understood. */
static void answer(const GError *error, gpointer user_data)
{
	Asked *asked = user_data;
	JsonObject *result = json_object_new();

	if (error) {
		json_object_set_int_member(result, "status", hvr_exit_status(error));
		json_object_set_string_member(result, "message", error->message);
	} else {
		json_object_set_int_member(result, "status", 0);
	}
	/* Where there is no control any more there may be no session. */
	if (asked->peer->control)
		add_ending(asked->job.hotplug->session, result);
	send_answer(asked, "return", result);
	asked_free(asked);
}

static Asked *asked_new(Peer *peer, JsonObject *object)
{
	Asked *asked = g_new0(Asked, 1);
	JsonNode *id = json_object_get_member(object, "id");

	g_atomic_ref_count_inc(&peer->refs);
	n_asked++;
	asked->job = (HvrRequestJob){ .hotplug = peer->control->hotplug, .done = answer };
	asked->peer = peer;
	if (id)
		asked->id = json_node_copy(id);
	return asked;
}

/* The end of one that was not. */
static void refuse(Asked *asked, const GError *error)
{
	JsonObject *object = json_object_new();
	const char *class = "GenericError";

	if (g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE))
		class = "CommandNotFound";
	json_object_set_string_member(object, "class", class);
	json_object_set_string_member(object, "desc", error->message);
	send_answer(asked, "error", object);
	asked_free(asked);
}

static void on_object(HvrQmpStream *stream, JsonObject *object, gpointer user_data)
{
	Asked *asked = asked_new(user_data, object);
	g_autoptr(GError) error = NULL;
	HvrRequest request;

	if (n_asked > ASKED_MAX) {
		error = g_error_new(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
				    "%d requests are not answered yet", ASKED_MAX);
		refuse(asked, error);
	} else if (g_strcmp0(hvr_json_get_string(object, "execute"), "qmp_capabilities") == 0) {
		send_answer(asked, "return", json_object_new());
		asked_free(asked);
	} else if (hvr_request_decode(object, &request, &error)) {
		hvr_request_start(&asked->job, &request);
	} else {
		refuse(asked, error);
	}
}

static void on_peer_ended(HvrQmpStream *stream, const GError *error, gpointer user_data)
{
	Peer *peer = user_data;

	hvr_qmp_stream_free(peer->stream);
	peer->stream = NULL;
	if (peer->control)
		g_ptr_array_remove_fast(peer->control->peers, peer);
}

static gboolean on_connection(gint fd, GIOCondition condition, gpointer user_data)
{
	static const HvrQmpStreamHandlers handlers = { .object = on_object,
						       .ended = on_peer_ended };
	HvrControl *control = user_data;
	g_auto(HvrFd) connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (connection < 0 || control->peers->len == PEERS_MAX)
		return G_SOURCE_CONTINUE;
	Peer *peer = g_new0(Peer, 1);
	g_atomic_ref_count_init(&peer->refs);
	peer->control = control;
	peer->stream = hvr_qmp_stream_new(g_steal_fd(&connection), NULL, &handlers, peer);
	g_ptr_array_add(control->peers, peer);

	g_autoptr(JsonObject) greeting = json_object_new();
	JsonObject *about = json_object_new();
	json_object_set_string_member(about, "hailo-vm-run", HVR_VERSION);
	json_object_set_object_member(greeting, "QMP", about);
	hvr_qmp_stream_send(peer->stream, greeting);
	return G_SOURCE_CONTINUE;
}

HvrControl *hvr_control_new(HvrHotplug *hotplug, int fd)
{
	HvrControl *control = g_new0(HvrControl, 1);

	control->hotplug = hotplug;
	control->fd = fd;
	control->peers = g_ptr_array_new_with_free_func((GDestroyNotify)peer_unref);
	g_unix_fd_add(fd, G_IO_IN, on_connection, control);
	return control;
}

void hvr_control_free(HvrControl *control)
{
	if (!control)
		return;
	g_source_remove_by_user_data(control);
	for (guint i = 0; i < control->peers->len; i++) {
		Peer *peer = g_ptr_array_index(control->peers, i);
		peer->control = NULL;
		g_clear_pointer(&peer->stream, hvr_qmp_stream_free);
	}
	g_ptr_array_unref(control->peers);
	hvr_fd_close(control->fd);
	g_free(control);
}
