/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes to lines to objects, and back.
 *
 * One GSource watches the descriptor: always for input, for output only while something waits.
 * Each wake-up reads one chunk, hands on every complete line in it, then writes. Only that
 * dispatch calls the owner, so the owner is never re-entered from hvr_qmp_stream_send(): a
 * failure found there is kept, the source is made ready, and the dispatch reports it after all
 * that the peer had said before (QEMU's last SHUTDOWN event must not be lost to an EPIPE).
 *
 * The owner may free the stream from its handlers: "freed" is a closed descriptor, and the
 * dispatch holds a reference of its own to the memory.
 */
#include "qmp/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qmp/error.h"
#include "qmp/syntax.h"

#define CHUNK_BYTES 16384

/* A buffer that grew beyond this is given back when it is empty: supervisors idle for days. */
#define KEEP_BYTES 65536

/* Never part of UTF-8, so of no JSON: see hvr_qmp_stream_resync(). */
#define DELIMITER 0xff
/* What --debug shows of a line. */
#define DEBUG_BYTES 2000

/* A descriptor that goes with a byte. */
typedef struct {
	gsize at; /* in @out */
	int fd;
} Rider;

struct HvrQmpStream {
	int fd; /* -1: ended or freed */
	GSource *source;
	gpointer tag;
	GIOCondition events; /* what @tag watches */
	HvrQmpStreamHandlers handlers;
	gpointer user_data;
	GByteArray *in;
	gsize scanned; /* bytes of @in that hold no newline */
	gsize peak;    /* longest that @in has been */
	gsize line_max;
	gboolean delimited; /* a line may have DELIMITER in front */
	gboolean skipping;  /* until DELIMITER */
	GByteArray *out;
	GArray *riders;	 /* of Rider, in order */
	GError *failure; /* found while sending; told when no more input is there */
};

static void stream_clear(gpointer data)
{
	HvrQmpStream *stream = data;

	g_byte_array_unref(stream->in);
	g_byte_array_unref(stream->out);
	g_array_unref(stream->riders);
	g_clear_error(&stream->failure);
}

static void stream_release(HvrQmpStream *stream)
{
	g_rc_box_release_full(stream, stream_clear);
}

static void stream_close(HvrQmpStream *stream)
{
	if (stream->fd < 0)
		return;
	g_source_destroy(stream->source);
	g_clear_pointer(&stream->source, g_source_unref);
	close(stream->fd);
	stream->fd = -1;
}

static void stream_end(HvrQmpStream *stream, const GError *error)
{
	stream_close(stream);
	stream->handlers.ended(stream, error, stream->user_data);
}

static GError *closed_error(int saved)
{
	if (saved == 0 || saved == ECONNRESET || saved == EPIPE)
		return g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED,
				   "the connection was closed");
	return g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_CLOSED, "the connection failed: %s",
			   g_strerror(saved));
}

static void watch(HvrQmpStream *stream)
{
	GIOCondition events = G_IO_IN;

	if (stream->out->len > 0)
		events |= G_IO_OUT;
	if (events == stream->events)
		return;
	g_source_modify_unix_fd(stream->source, stream->tag, events);
	stream->events = events;
}

/* Keeps the first failure for the next dispatch and sees that there is one. */
static void fail_later(HvrQmpStream *stream, GError *error)
{
	stream->failure = error;
	g_byte_array_set_size(stream->out, 0);
	g_array_set_size(stream->riders, 0);
	watch(stream);
	g_source_set_ready_time(stream->source, 0);
}

static void rider_clear(gpointer data)
{
	close(((Rider *)data)->fd);
}

/* What waits, up to a line that has a rider; or that line, with it. */
static ssize_t send_some(HvrQmpStream *stream)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } }; /* all of it: gcc 15 clears no more than what is named */
	GByteArray *out = stream->out;
	struct iovec bytes = { .iov_base = out->data, .iov_len = out->len };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
	const Rider *rider = NULL;

	control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
					   .cmsg_level = SOL_SOCKET,
					   .cmsg_type = SCM_RIGHTS };
	if (stream->riders->len > 0) {
		rider = &g_array_index(stream->riders, Rider, 0);
		bytes.iov_len = rider->at;
	}
	if (rider && rider->at == 0) {
		const guint8 *newline = memchr(out->data, '\n', out->len);
		bytes.iov_len = (gsize)(newline + 1 - out->data);
		memcpy(CMSG_DATA(&control.header), &rider->fd, sizeof(int));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	return sendmsg(stream->fd, &message, MSG_NOSIGNAL);
}

static void drop_sent(HvrQmpStream *stream, gsize sent)
{
	gboolean rode = stream->riders->len > 0 && g_array_index(stream->riders, Rider, 0).at == 0;

	if (sent == 0)
		return;
	g_byte_array_remove_range(stream->out, 0, sent);
	if (rode)
		g_array_remove_index(stream->riders, 0);
	for (guint i = 0; i < stream->riders->len; i++)
		g_array_index(stream->riders, Rider, i).at -= sent;
}

static void write_out(HvrQmpStream *stream)
{
	while (stream->out->len > 0) {
		ssize_t n = send_some(stream);
		int saved = errno;

		if (n >= 0) {
			drop_sent(stream, (gsize)n);
		} else if (saved == EAGAIN) {
			break;
		} else if (saved != EINTR) {
			fail_later(stream, closed_error(saved));
			return;
		}
	}
	watch(stream);
}

static gboolean fail_too_long(const HvrQmpStream *stream, GError **error)
{
	g_set_error(error, HVR_QMP_ERROR, HVR_QMP_ERROR_PROTOCOL,
		    "a message is longer than %" G_GSIZE_FORMAT " bytes", stream->line_max);
	return FALSE;
}

/* @line is followed by a byte that may be overwritten. */
static gboolean handle_line(HvrQmpStream *stream, char *line, gsize len, GError **error)
{
	g_autoptr(JsonNode) root = NULL;

	if (len > stream->line_max)
		return fail_too_long(stream, error);
	while (stream->delimited && len > 0 && (guint8)*line == DELIMITER) {
		line++;
		len--;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0)
		return TRUE;
	if (!hvr_qmp_syntax_check(line, len, error))
		return FALSE;
	line[len] = '\0';
	g_debug("QMP %d > %." G_STRINGIFY(DEBUG_BYTES) "s", stream->fd, line);
	root = json_from_string(line, NULL);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
		g_set_error(error, HVR_QMP_ERROR, HVR_QMP_ERROR_PROTOCOL,
			    "a message cannot be read as a JSON object");
		return FALSE;
	}
	stream->handlers.object(stream, json_node_get_object(root), stream->user_data);
	return TRUE;
}

static void drop_handled(HvrQmpStream *stream, gsize handled)
{
	stream->peak = MAX(stream->peak, stream->in->len);
	/* Nothing of nothing would move all that is there. */
	if (handled > 0)
		g_byte_array_remove_range(stream->in, 0, handled);
	stream->scanned = stream->in->len;
	if (stream->in->len == 0 && stream->peak > KEEP_BYTES) {
		g_byte_array_unref(stream->in);
		stream->in = g_byte_array_new();
		stream->peak = 0;
	}
}

static gboolean handle_lines(HvrQmpStream *stream, GError **error)
{
	GByteArray *in = stream->in;
	gsize begin = 0;
	guint8 *newline;

	while ((newline = memchr(in->data + stream->scanned, '\n', in->len - stream->scanned))) {
		gsize stop = newline - in->data;

		if (!handle_line(stream, (char *)in->data + begin, stop - begin, error))
			return FALSE;
		if (stream->fd < 0)
			return TRUE;
		begin = stream->scanned = stop + 1;
	}
	drop_handled(stream, begin);
	if (stream->in->len > stream->line_max)
		return fail_too_long(stream, error);
	return TRUE;
}

/* Throws away what came before the delimiter. FALSE: it is still to come. */
static gboolean skip(HvrQmpStream *stream)
{
	GByteArray *in = stream->in;
	guint length = in->len;

	if (!stream->skipping)
		return TRUE;
	const guint8 *found = memchr(in->data, DELIMITER, in->len);
	if (found) {
		length = (guint)(found - in->data);
		stream->skipping = FALSE;
	}
	g_byte_array_remove_range(in, 0, length);
	stream->scanned = 0;
	return found != NULL;
}

/* Reads one chunk into @in. FALSE: nothing was read, and errno says why (0 for EOF). */
static gboolean read_chunk(HvrQmpStream *stream)
{
	guint before = stream->in->len;

	g_byte_array_set_size(stream->in, before + CHUNK_BYTES);
	errno = 0;
	ssize_t n = recv(stream->fd, stream->in->data + before, CHUNK_BYTES, 0);
	int saved = errno;
	g_byte_array_set_size(stream->in, before + MAX(n, 0));
	errno = saved;
	return n > 0;
}

static void receive(HvrQmpStream *stream)
{
	g_autoptr(GError) error = NULL;
	int saved;

	if (read_chunk(stream)) {
		if (skip(stream) && !handle_lines(stream, &error))
			stream_end(stream, error);
		return;
	}
	saved = errno;
	if (saved == EINTR || (saved == EAGAIN && !stream->failure))
		return;
	if (stream->failure)
		error = g_steal_pointer(&stream->failure);
	else
		error = closed_error(saved);
	if (stream->in->len > 0)
		g_prefix_error(&error, "in the middle of a message: ");
	stream_end(stream, error);
}

static gboolean on_ready(gpointer data)
{
	HvrQmpStream *stream = g_rc_box_acquire(data);
	GIOCondition ready = g_source_query_unix_fd(stream->source, stream->tag);

	g_source_set_ready_time(stream->source, -1);
	if ((ready & ~G_IO_OUT) || stream->failure)
		receive(stream);
	if (stream->fd >= 0 && (ready & G_IO_OUT))
		write_out(stream);
	if (stream->fd >= 0 && stream->failure)
		g_source_set_ready_time(stream->source, 0);
	stream_release(stream);
	return G_SOURCE_CONTINUE;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static GSourceFuncs source_funcs = { .dispatch = source_dispatch };

HvrQmpStream *hvr_qmp_stream_new(int fd, GMainContext *context,
				 const HvrQmpStreamHandlers *handlers, gpointer user_data)
{
	HvrQmpStream *stream = g_rc_box_new0(HvrQmpStream);

	/* Neither can fail on an open descriptor. */
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	stream->fd = fd;
	stream->handlers = *handlers;
	stream->user_data = user_data;
	stream->in = g_byte_array_new();
	stream->line_max = HVR_QMP_LINE_MAX_BYTES;
	stream->out = g_byte_array_new();
	stream->riders = g_array_new(FALSE, FALSE, sizeof(Rider));
	g_array_set_clear_func(stream->riders, rider_clear);
	stream->source = g_source_new(&source_funcs, sizeof(GSource));
	g_source_set_name(stream->source, "hvr-qmp-stream");
	g_source_set_callback(stream->source, on_ready, stream, NULL);
	stream->events = G_IO_IN;
	stream->tag = g_source_add_unix_fd(stream->source, fd, stream->events);
	g_source_attach(stream->source, context);
	return stream;
}

void hvr_qmp_stream_send(HvrQmpStream *stream, JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
	g_autofree char *text = json_to_string(node, FALSE);
	gsize len = strlen(text);

	g_debug("QMP %d < %." G_STRINGIFY(DEBUG_BYTES) "s", stream->fd, text);
	if (stream->fd < 0 || stream->failure)
		return;
	if (stream->out->len + len >= HVR_QMP_QUEUE_MAX_BYTES) {
		fail_later(stream, g_error_new(HVR_QMP_ERROR, HVR_QMP_ERROR_PROTOCOL,
					       "more than %d bytes wait to be sent",
					       HVR_QMP_QUEUE_MAX_BYTES));
		return;
	}
	g_byte_array_append(stream->out, (const guint8 *)text, len);
	g_byte_array_append(stream->out, (const guint8 *)"\n", 1);
	write_out(stream);
}

void hvr_qmp_stream_send_fd(HvrQmpStream *stream, JsonObject *object, int fd)
{
	Rider rider = { .at = stream->out->len, .fd = fd };

	g_array_append_val(stream->riders, rider);
	hvr_qmp_stream_send(stream, object);
}

void hvr_qmp_stream_set_line_max(HvrQmpStream *stream, gsize bytes)
{
	stream->line_max = bytes;
}

/* Not before the next message is sent: by itself the delimiter would only be an error to the peer,
 * and what is queued here cannot overtake what was queued before. */
void hvr_qmp_stream_resync(HvrQmpStream *stream)
{
	static const guint8 delimiter = DELIMITER;

	if (stream->fd < 0 || stream->failure)
		return;
	stream->delimited = stream->skipping = TRUE;
	g_byte_array_set_size(stream->in, 0);
	stream->scanned = 0;
	g_byte_array_append(stream->out, &delimiter, 1);
}

void hvr_qmp_stream_free(HvrQmpStream *stream)
{
	if (!stream)
		return;
	stream_close(stream);
	stream_release(stream);
}
