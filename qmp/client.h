/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/**
 * HvrQmpClient - one QMP connection, driven by a GMainContext, without threads.
 *
 * Life: connecting -> (greeting) negotiating -> (qmp_capabilities answered) ready -> closed.
 * Commands given before "ready" are kept and sent in order once the peer has negotiated, so a
 * caller never waits for the greeting itself. Events before negotiation do not exist (QEMU
 * drops them), so whoever needs a state asks for it after subscribing.
 */
typedef struct HvrQmpClient HvrQmpClient;

/**
 * HvrQmpReply - completion of one command.
 * @result: what QEMU returned, borrowed; NULL on failure
 * @error: NULL on success; else in HVR_QMP_ERROR, borrowed
 *
 * Called exactly once for each command: with QEMU's answer, at the deadline (TIMEOUT; an answer
 * that comes later is dropped), when the connection ends (CLOSED or PROTOCOL), or from
 * hvr_qmp_client_unref() of the last reference (CLOSED), so never after that returned. Never
 * called from inside hvr_qmp_client_execute() itself. The callback may drop its reference to the
 * client.
 */
typedef void (*HvrQmpReply)(HvrQmpClient *client, JsonNode *result, const GError *error,
			    gpointer user_data);

/**
 * HvrQmpEvent - an event arrived.
 * @name: such as "DEVICE_DELETED"
 * @data: the event's "data" object, borrowed; an empty object when there was none
 */
typedef void (*HvrQmpEvent)(HvrQmpClient *client, const char *name, JsonObject *data,
			    gpointer user_data);

/**
 * HvrQmpClosed - the connection ended; told once, after every pending command was completed.
 * @error: HVR_QMP_ERROR_CLOSED for an ordinary end (EOF, ECONNRESET and EPIPE are treated
 *         alike: QEMU resets the connection after "quit"), HVR_QMP_ERROR_PROTOCOL otherwise
 *         (also when no greeting comes first or qmp_capabilities is refused). Borrowed.
 *
 * Not told when the owner ends it, by dropping the last reference.
 */
typedef void (*HvrQmpClosed)(HvrQmpClient *client, const GError *error, gpointer user_data);

/**
 * hvr_qmp_client_new - speak QMP on a connected stream socket.
 * @fd: the descriptor; the client takes ownership, makes it non-blocking and close-on-exec
 * @context: (nullable): where its sources are attached; NULL for the default context
 *
 * Returns: (transfer full): a client in state "connecting". Nothing is sent until the peer's
 * greeting has arrived.
 */
HvrQmpClient *hvr_qmp_client_new(int fd, GMainContext *context) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_qmp_client_connect - connect to a Unix socket and speak QMP on it.
 * @dirfd: folder that @name is relative to (the path may be longer than sun_path allows, so the
 *         connection is made through /proc/self/fd); AT_FDCWD is the current folder
 * @name: the socket's name in that folder
 *
 * Does not wait: a listener that has somebody else connected (QEMU serves one at a time) lets
 * the next one in and sends no greeting, so commands end in TIMEOUT; when its queue is full too,
 * this fails with G_IO_ERROR_WOULD_BLOCK.
 *
 * Errors: G_IO_ERROR_NOT_FOUND (no such socket), G_IO_ERROR_CONNECTION_REFUSED (a socket that
 * nobody listens on), G_IO_ERROR_FILENAME_TOO_LONG, other G_IO_ERROR for what the kernel said.
 */
HvrQmpClient *hvr_qmp_client_connect(int dirfd, const char *name, GMainContext *context,
				     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One more owner. Returns: (transfer full): @client */
HvrQmpClient *hvr_qmp_client_ref(HvrQmpClient *client);
/*
 * Drops a reference. With the last one the descriptor is closed and pending commands complete
 * with CLOSED before this returns; those callbacks must not answer a failure with a new command
 * for ever. NULL is accepted.
 */
void hvr_qmp_client_unref(HvrQmpClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrQmpClient, hvr_qmp_client_unref)

/**
 * hvr_qmp_client_execute - send one command.
 * @arguments: (nullable) (transfer full)
 * @timeout_ms: time until the answer, counted from this call; 0 waits as long as the
 *              connection lives
 * @reply: (nullable): told once, see HvrQmpReply
 *
 * A command whose time ends before the peer has negotiated is never sent; one that was sent
 * cannot be taken back and may still be carried out. On a closed client @reply is told the
 * reason why it closed.
 */
void hvr_qmp_client_execute(HvrQmpClient *client, const char *command, JsonObject *arguments,
			    guint timeout_ms, HvrQmpReply reply, gpointer user_data);

/**
 * hvr_qmp_client_execute_with_fd - send one command together with a descriptor ("add-fd", and see
 * below).
 * @fd: borrowed; duplicated until it is sent
 *
 * One that is sent before the last one is answered waits for that: of what comes with its input
 * QEMU keeps the last, and looks for it when it carries the command out (tcp_chr_recv() in
 * chardev/char-socket.c). The rest as in hvr_qmp_client_execute().
 */
void hvr_qmp_client_execute_with_fd(HvrQmpClient *client, const char *command,
				    JsonObject *arguments, int fd, guint timeout_ms,
				    HvrQmpReply reply, gpointer user_data);

/**
 * hvr_qmp_client_give_fd - the same to have QEMU keep a descriptor ("getfd") under @name, which
 * must not begin with a digit. It closes the one that it has under that name; the rest it keeps
 * until it ends, also when this connection does (monitor/misc.c of QEMU 7.2, monitor/fds.c later).
 */
void hvr_qmp_client_give_fd(HvrQmpClient *client, const char *name, int fd, guint timeout_ms,
			    HvrQmpReply reply, gpointer user_data);

/**
 * hvr_qmp_client_call - send one command and run the client's context until it is answered.
 * For commands that have nothing else to do; never from inside a callback of this client, which
 * would wait for itself. Other sources of that context, and other callbacks of the client, run
 * meanwhile.
 *
 * Returns: (transfer full): QEMU's "return", or NULL with @error in HVR_QMP_ERROR
 */
JsonNode *hvr_qmp_client_call(HvrQmpClient *client, const char *command, JsonObject *arguments,
			      guint timeout_ms, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_qmp_client_subscribe - be told of every event, and of the end.
 * @event: (nullable)
 * @closed: (nullable): not told if the client is closed already
 *
 * Subscribers are told in the order in which they subscribed; one that joins while an event is
 * being told hears the next one.
 *
 * Returns: an id for hvr_qmp_client_unsubscribe(), never 0. Both may be called from callbacks.
 */
guint hvr_qmp_client_subscribe(HvrQmpClient *client, HvrQmpEvent event, HvrQmpClosed closed,
			       gpointer user_data);

/* After this neither callback is called any more. An id that is no longer known is ignored. */
void hvr_qmp_client_unsubscribe(HvrQmpClient *client, guint id);

/* Has the connection ended? */
gboolean hvr_qmp_client_is_closed(const HvrQmpClient *client);

/* Has the peer negotiated, so that commands go out as they are given? */
gboolean hvr_qmp_client_is_ready(const HvrQmpClient *client);

/* Where the client's sources are attached. Borrowed, never NULL. */
GMainContext *hvr_qmp_client_get_context(const HvrQmpClient *client);
