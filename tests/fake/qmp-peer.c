/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three parts: a mouth (what is still to be said, sent at once or a byte for each turn), an ear
 * (lines to commands), and a script between them (command to a queue of answers, of which the
 * last one stays).
 */
#include "tests/fake/qmp-peer.h"

#include <errno.h>
#include <glib-unix.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "compat/compat.h"

#define GREETING                                                                                   \
	"{\"QMP\":{\"version\":{\"qemu\":{\"micro\":22,\"minor\":2,\"major\":7},"                  \
	"\"package\":\"fake\"},\"capabilities\":[\"oob\"]}}\n"

/* Text of an answer that closes the connection. */
static const char CLOSES[] = "<close>";

struct QmpPeer {
	GMainContext *context;
	int fd;	      /* -1: not connected (any more) */
	int listener; /* -1: none */
	GSource *ear;
	GSource *mouth;
	GSource *door;
	QmpPeerDelivery delivery;
	gboolean closing;
	GByteArray *out;
	GString *in;
	GHashTable *script; /* command -> GQueue of text */
	GString *heard;
	char *last_line;
	gint64 last_id;
	gint64 last_sync;
	int last_fd; /* -1: none */
};

static void clear_source(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void attach(QmpPeer *peer, GSource **place, GSource *source, GSourceFunc func)
{
	g_source_set_callback(source, func, peer, NULL);
	g_source_attach(source, peer->context);
	*place = source;
}

void qmp_peer_drop(QmpPeer *peer)
{
	clear_source(&peer->ear);
	clear_source(&peer->mouth);
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
}

void qmp_peer_stop_reading(QmpPeer *peer)
{
	clear_source(&peer->ear);
}

/* The mouth. */

/* TRUE while something is left. */
static gboolean say_some(QmpPeer *peer)
{
	gsize len = peer->delivery == QMP_PEER_BYTEWISE ? MIN(peer->out->len, 1) : peer->out->len;
	ssize_t n = 0;

	if (len > 0)
		n = send(peer->fd, peer->out->data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN) {
		qmp_peer_drop(peer);
		return FALSE;
	}
	if (n > 0)
		g_byte_array_remove_range(peer->out, 0, n);
	if (peer->out->len == 0 && peer->closing)
		qmp_peer_drop(peer);
	return peer->fd >= 0 && peer->out->len > 0;
}

static gboolean on_mouth(gpointer data)
{
	QmpPeer *peer = data;

	if (say_some(peer))
		return G_SOURCE_CONTINUE;
	clear_source(&peer->mouth);
	return G_SOURCE_REMOVE;
}

static void say_on(QmpPeer *peer)
{
	if (peer->fd < 0 || peer->mouth)
		return;
	if (peer->delivery == QMP_PEER_BYTEWISE || say_some(peer))
		attach(peer, &peer->mouth, g_idle_source_new(), on_mouth);
}

void qmp_peer_say_bytes(QmpPeer *peer, const void *bytes, gsize len)
{
	g_byte_array_append(peer->out, bytes, len);
	say_on(peer);
}

void qmp_peer_say(QmpPeer *peer, const char *text)
{
	g_autoptr(GString) bytes = g_string_new(text);

	if (peer->delivery != QMP_PEER_LF)
		g_string_replace(bytes, "\n", "\r\n", 0);
	qmp_peer_say_bytes(peer, bytes->str, bytes->len);
}

void qmp_peer_greet(QmpPeer *peer)
{
	qmp_peer_say(peer, GREETING);
}

void qmp_peer_event(QmpPeer *peer, const char *name, const char *data)
{
	g_autofree char *member = data ? g_strdup_printf(",\"data\":%s", data) : g_strdup("");
	g_autofree char *text = g_strdup_printf(
		"{\"timestamp\":{\"seconds\":1,\"microseconds\":2},\"event\":\"%s\"%s}\n", name,
		member);

	qmp_peer_say(peer, text);
}

void qmp_peer_close(QmpPeer *peer)
{
	peer->closing = TRUE;
	if (peer->out->len == 0)
		qmp_peer_drop(peer);
}

void qmp_peer_set_delivery(QmpPeer *peer, QmpPeerDelivery delivery)
{
	peer->delivery = delivery;
}

/* The script. */

void qmp_peer_answers(QmpPeer *peer, const char *command, const char *text)
{
	GQueue *queue = g_hash_table_lookup(peer->script, command);

	if (!queue) {
		queue = g_queue_new();
		g_hash_table_insert(peer->script, g_strdup(command), queue);
	}
	g_queue_push_tail(queue, g_strdup(text));
}

void qmp_peer_returns(QmpPeer *peer, const char *command, const char *value)
{
	g_autofree char *text = g_strdup_printf("{\"return\":%s,\"id\":$ID}\n", value);

	qmp_peer_answers(peer, command, text);
}

void qmp_peer_fails(QmpPeer *peer, const char *command, const char *class, const char *desc)
{
	g_autofree char *text = g_strdup_printf(
		"{\"id\":$ID,\"error\":{\"class\":\"%s\",\"desc\":\"%s\"}}\n", class, desc);

	qmp_peer_answers(peer, command, text);
}

void qmp_peer_ignores(QmpPeer *peer, const char *command)
{
	qmp_peer_answers(peer, command, "");
}

void qmp_peer_closes_on(QmpPeer *peer, const char *command)
{
	qmp_peer_answers(peer, command, CLOSES);
}

static char *next_answer(QmpPeer *peer, const char *command)
{
	GQueue *queue = g_hash_table_lookup(peer->script, command);

	if (queue && queue->length > 1)
		return g_queue_pop_head(queue);
	if (queue)
		return g_strdup(g_queue_peek_head(queue));
	if (g_str_equal(command, "qmp_capabilities"))
		return g_strdup("{\"return\":{},\"id\":$ID}\n");
	if (g_str_equal(command, "guest-sync-delimited"))
		return g_strdup("\xff{\"return\":$SYNC}\n");
	return g_strdup_printf("{\"id\":$ID,\"error\":{\"class\":\"CommandNotFound\",\"desc\":"
			       "\"The command %s has not been found\"}}\n",
			       command);
}

static void obey(QmpPeer *peer, const char *command)
{
	g_autofree char *answer = next_answer(peer, command);
	g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, peer->last_id);
	g_autofree char *sync = g_strdup_printf("%" G_GINT64_FORMAT, peer->last_sync);
	g_autoptr(GString) text = g_string_new(answer);

	if (g_str_equal(answer, CLOSES)) {
		qmp_peer_close(peer);
		return;
	}
	g_string_replace(text, "$ID", id, 0);
	g_string_replace(text, "$SYNC", sync, 0);
	qmp_peer_say(peer, text->str);
}

/* The ear. */

static void hear(QmpPeer *peer, const char *line)
{
	g_autoptr(JsonNode) root = json_from_string(line, NULL);
	JsonObject *object =
		root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
	const char *command;

	g_free(peer->last_line);
	peer->last_line = g_strdup(line);
	command =
		object ? json_object_get_string_member_with_default(object, "execute", NULL) : NULL;
	if (!command)
		g_error("the fake QMP peer was sent no command: %s", line);
	if (peer->heard->len > 0)
		g_string_append_c(peer->heard, ' ');
	g_string_append(peer->heard, command);
	peer->last_id = json_object_get_int_member_with_default(object, "id", -1);
	if (g_str_equal(command, "guest-sync-delimited"))
		peer->last_sync = json_object_get_int_member(
			json_object_get_object_member(object, "arguments"), "id");
	obey(peer, command);
}

/* As QEMU does, what came with an earlier read and was not asked for is closed. */
static ssize_t receive(QmpPeer *peer, char *chunk, gsize size)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec bytes = { chunk, size };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(peer->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *found = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	if (!found || found->cmsg_type != SCM_RIGHTS)
		return n;
	if (peer->last_fd >= 0)
		close(peer->last_fd);
	memcpy(&peer->last_fd, CMSG_DATA(found), sizeof(int));
	return n;
}

static gboolean on_ear(gpointer data)
{
	QmpPeer *peer = data;
	char chunk[4096];
	ssize_t n = receive(peer, chunk, sizeof(chunk));
	char *newline;

	if (n < 0 && errno == EAGAIN)
		return G_SOURCE_CONTINUE;
	if (n <= 0) {
		qmp_peer_drop(peer);
		return G_SOURCE_REMOVE;
	}
	g_string_append_len(peer->in, chunk, n);
	while (peer->fd >= 0 && peer->ear && (newline = strchr(peer->in->str, '\n'))) {
		g_autofree char *line = g_strndup(peer->in->str, newline - peer->in->str);

		g_string_erase(peer->in, 0, newline + 1 - peer->in->str);
		/* The guest agent's clients may send its delimiter in front. */
		hear(peer, line + (line[0] == '\xff'));
	}
	return G_SOURCE_CONTINUE;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs source_funcs = { .dispatch = source_dispatch };

static void listen_to(QmpPeer *peer, GSource **place, int fd, GSourceFunc func)
{
	GSource *source = g_source_new(&source_funcs, sizeof(GSource));

	g_source_add_unix_fd(source, fd, G_IO_IN);
	attach(peer, place, source, func);
}

/* Beginning and end. */

static void queue_free(gpointer queue)
{
	g_queue_free_full(queue, g_free);
}

static QmpPeer *peer_alloc(GMainContext *context)
{
	QmpPeer *peer = g_new0(QmpPeer, 1);

	peer->context = context;
	peer->fd = -1;
	peer->listener = -1;
	peer->last_fd = -1;
	peer->out = g_byte_array_new();
	peer->in = g_string_new(NULL);
	peer->heard = g_string_new(NULL);
	peer->last_line = g_strdup("");
	peer->script = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, queue_free);
	return peer;
}

QmpPeer *qmp_peer_new_for_fd(GMainContext *context, int fd)
{
	QmpPeer *peer = peer_alloc(context);

	peer->fd = fd;
	listen_to(peer, &peer->ear, fd, on_ear);
	return peer;
}

QmpPeer *qmp_peer_new(GMainContext *context, int *out_fd)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		g_error("socketpair: %s", g_strerror(errno));
	*out_fd = fds[1];
	return qmp_peer_new_for_fd(context, fds[0]);
}

static gboolean on_door(gpointer data)
{
	QmpPeer *peer = data;

	peer->fd = accept(peer->listener, NULL, NULL);
	if (peer->fd < 0)
		g_error("accept: %s", g_strerror(errno));
	clear_source(&peer->door);
	listen_to(peer, &peer->ear, peer->fd, on_ear);
	qmp_peer_greet(peer);
	return G_SOURCE_REMOVE;
}

QmpPeer *qmp_peer_listen(GMainContext *context, const char *path)
{
	QmpPeer *peer = peer_alloc(context);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(peer->listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(peer->listener, 1) < 0)
		g_error("%s: %s", path, g_strerror(errno));
	listen_to(peer, &peer->door, peer->listener, on_door);
	return peer;
}

void qmp_peer_free(QmpPeer *peer)
{
	if (!peer)
		return;
	qmp_peer_drop(peer);
	clear_source(&peer->door);
	if (peer->listener >= 0)
		close(peer->listener);
	if (peer->last_fd >= 0)
		close(peer->last_fd);
	g_hash_table_unref(peer->script);
	g_byte_array_unref(peer->out);
	g_string_free(peer->in, TRUE);
	g_string_free(peer->heard, TRUE);
	g_free(peer->last_line);
	g_free(peer);
}

/* What was heard. */

const char *qmp_peer_heard(const QmpPeer *peer)
{
	return peer->heard->str;
}

guint qmp_peer_count(const QmpPeer *peer, const char *command)
{
	g_auto(GStrv) all = g_strsplit(peer->heard->str, " ", -1);
	guint count = 0;

	for (char **at = all; *at; at++)
		count += g_str_equal(*at, command);
	return count;
}

const char *qmp_peer_last_line(const QmpPeer *peer)
{
	return peer->last_line;
}

int qmp_peer_take_fd(QmpPeer *peer)
{
	return g_steal_fd(&peer->last_fd);
}

gint64 qmp_peer_last_id(const QmpPeer *peer)
{
	return peer->last_id;
}

static gboolean on_give_up(gpointer data)
{
	*(gboolean *)data = TRUE;
	return G_SOURCE_CONTINUE;
}

gboolean qmp_peer_wait_for(QmpPeer *peer, const char *command, guint times)
{
	gboolean given_up = FALSE;
	GSource *timer = g_timeout_source_new_seconds(10);

	g_source_set_callback(timer, on_give_up, &given_up, NULL);
	g_source_attach(timer, peer->context);
	while (!given_up && qmp_peer_count(peer, command) < times)
		g_main_context_iteration(peer->context, TRUE);
	clear_source(&timer);
	return !given_up;
}
