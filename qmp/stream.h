/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/* Longest line accepted, without its end: 1 MiB. QEMU 7.2's query-qmp-schema takes 186 KB. */
#define HVR_QMP_LINE_MAX_BYTES 1048576

/* Most that may wait to be sent to a peer that does not read: 4 MiB. */
#define HVR_QMP_QUEUE_MAX_BYTES 4194304

/**
 * HvrQmpStream - JSON objects, one a line, both ways over a connected stream socket.
 *
 * It knows nothing of QMP's commands, so both ends of a QMP-like conversation can use it: the
 * client in this folder and the launcher's control socket. Driven by a GMainContext, one
 * GSource for both directions, no thread. Lines end in LF or CRLF; empty lines are skipped.
 */
typedef struct HvrQmpStream HvrQmpStream;

/**
 * HvrQmpStreamHandlers - what a stream tells its owner, always from its context, never from
 * inside one of the functions below.
 * @object: one object arrived; borrowed. Objects come in order.
 * @ended: no more will come and nothing more is sent; told once, the descriptor is closed by
 *         then. @error is HVR_QMP_ERROR_CLOSED for an ordinary end (EOF, also in the middle of a
 *         line, ECONNRESET and EPIPE alike) or HVR_QMP_ERROR_PROTOCOL (malformed, too long, too
 *         deep, a peer that does not read). All that arrived before is told first.
 *
 * Either may call hvr_qmp_stream_free().
 */
typedef struct {
	void (*object)(HvrQmpStream *stream, JsonObject *object, gpointer user_data);
	void (*ended)(HvrQmpStream *stream, const GError *error, gpointer user_data);
} HvrQmpStreamHandlers;

/**
 * hvr_qmp_stream_new - read and write objects on a connected stream socket.
 * @fd: ownership is taken; made non-blocking and close-on-exec
 * @context: (nullable): NULL for the default context
 * @handlers: copied
 */
HvrQmpStream *hvr_qmp_stream_new(int fd, GMainContext *context,
				 const HvrQmpStreamHandlers *handlers,
				 gpointer user_data) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_qmp_stream_send - send one object as one line.
 * @object: borrowed; its strings must be UTF-8 and its numbers whole (json-glib 1.6 writes 1e40
 *          as "1e+40.0", which is not JSON)
 *
 * Written at once as far as the socket takes it, the rest when it is writable again. What goes
 * wrong is told by @ended later; after the end nothing happens. A reply that fits the socket's
 * buffer has therefore left this process when the function returns.
 */
void hvr_qmp_stream_send(HvrQmpStream *stream, JsonObject *object);

/**
 * hvr_qmp_stream_send_fd - the same, and a descriptor with it (SCM_RIGHTS). The socket is a Unix
 * one.
 * @fd: ownership is taken; closed when it is sent, or will not be
 *
 * The peer's recvmsg(2) that gets the line's first byte gets the descriptor, and nothing of a later
 * line.
 */
void hvr_qmp_stream_send_fd(HvrQmpStream *stream, JsonObject *object, int fd);

/* Longest line accepted from here on, instead of HVR_QMP_LINE_MAX_BYTES. */
void hvr_qmp_stream_set_line_max(HvrQmpStream *stream, gsize bytes);

/**
 * hvr_qmp_stream_resync - for a peer that may be in the middle of anything, as the guest agent is
 * after a client that left early: 0xFF is sent, which no JSON contains and which ends whatever the
 * peer was reading, and all that arrives up to the next 0xFF is thrown away unread.
 * From then on 0xFF in front of a line is skipped.
 */
void hvr_qmp_stream_resync(HvrQmpStream *stream);

/* Closes the descriptor, drops what is not sent; no handler is called any more. Accepts NULL. */
void hvr_qmp_stream_free(HvrQmpStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrQmpStream, hvr_qmp_stream_free)
