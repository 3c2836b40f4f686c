/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * QmpPeer - a QMP server that does what a test tells it, in the test's own GMainContext.
 *
 * It speaks in two ways. Of itself: answers to the commands that arrive, as scripted below; a
 * command without a script gets CommandNotFound, qmp_capabilities a success. On demand: any bytes
 * at any time with qmp_peer_say() and friends. It reads commands with json-glib alone and shares
 * no code with qmp/, so that both cannot be wrong in the same way.
 */
typedef struct QmpPeer QmpPeer;

/* How text leaves the peer. */
typedef enum {
	QMP_PEER_LF,	   /* as it stands; the default */
	QMP_PEER_CRLF,	   /* each "\n" as "\r\n", which is what QEMU does */
	QMP_PEER_BYTEWISE, /* CRLF, one byte for each turn of the main context */
} QmpPeerDelivery;

/**
 * qmp_peer_new - a peer on one end of a socketpair.
 * @context: (nullable)
 * @out_fd: the other end, for the client; owned by the caller
 */
QmpPeer *qmp_peer_new(GMainContext *context, int *out_fd);

/* A peer on a connected socket of which it becomes the owner. */
QmpPeer *qmp_peer_new_for_fd(GMainContext *context, int fd);

/*
 * A peer behind a listening socket made at @path. It greets whoever connects first, and like QEMU
 * it serves one client: others connect and hear nothing.
 */
QmpPeer *qmp_peer_listen(GMainContext *context, const char *path);

void qmp_peer_free(QmpPeer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QmpPeer, qmp_peer_free)

void qmp_peer_set_delivery(QmpPeer *peer, QmpPeerDelivery delivery);

/* Sends text as it is: whole lines, parts, nonsense. */
void qmp_peer_say(QmpPeer *peer, const char *text);

/* Sends bytes that may hold NUL; never converted by the delivery. */
void qmp_peer_say_bytes(QmpPeer *peer, const void *bytes, gsize len);

/* Sends QEMU's greeting. */
void qmp_peer_greet(QmpPeer *peer);

/* Sends an event; @data is JSON text, or NULL for none. */
void qmp_peer_event(QmpPeer *peer, const char *name, const char *data);

/* Closes after what is still to be said was said. The client sees EOF. */
void qmp_peer_close(QmpPeer *peer);

/*
 * Closes at once. What the client sent and the peer has not read makes it ECONNRESET instead of
 * EOF; qmp_peer_stop_reading() first makes sure that there is something.
 */
void qmp_peer_drop(QmpPeer *peer);
void qmp_peer_stop_reading(QmpPeer *peer);

/**
 * The script: what to do at the next "command" that has no answer yet. Answers are used in the
 * order in which they were given; the last one serves all later ones.
 *
 * qmp_peer_answers: @text is sent as it is, with each $ID replaced by the command's id and each
 *   $SYNC by the number of the last guest-sync-delimited, whose own answer is scripted already
 * qmp_peer_returns: success; @value is JSON text
 * qmp_peer_fails: an error
 * qmp_peer_ignores: no answer
 * qmp_peer_closes_on: closes instead of answering
 */
void qmp_peer_answers(QmpPeer *peer, const char *command, const char *text);
void qmp_peer_returns(QmpPeer *peer, const char *command, const char *value);
void qmp_peer_fails(QmpPeer *peer, const char *command, const char *class, const char *desc);
void qmp_peer_ignores(QmpPeer *peer, const char *command);
void qmp_peer_closes_on(QmpPeer *peer, const char *command);

/* The commands that arrived, by name, separated by spaces: "qmp_capabilities query-status". */
const char *qmp_peer_heard(const QmpPeer *peer);

/* How often this command arrived. */
guint qmp_peer_count(const QmpPeer *peer, const char *command);

/* The line of the last command that arrived, as it was sent; "" before. */
const char *qmp_peer_last_line(const QmpPeer *peer);

/* The id of the last command that arrived. */
gint64 qmp_peer_last_id(const QmpPeer *peer);

/* The descriptor that came with the last command that had one; the caller closes it. -1: none. */
int qmp_peer_take_fd(QmpPeer *peer);

/* Runs the context until @command has arrived @times times; FALSE after 10 s. */
gboolean qmp_peer_wait_for(QmpPeer *peer, const char *command, guint times);
