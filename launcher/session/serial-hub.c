/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One reader of the port, and one writer. The port is not read while somebody who may lose nothing
 * has no room; nobody is read while the port does not take what was typed before. Of neither is
 * more held than one turn's bytes.
 */
#include "launcher/session/serial-hub.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/report/log-file.h"
#include "launcher/report/message.h"
#include "launcher/session/serial-client.h"
#include "launcher/session/serial-replay.h"
#include "vfio/fd.h"

#define TURN_BYTES 4096

/* More than a socket's buffer (/proc/sys/net/core/wmem_default). */
#define DRAIN_MAX_BYTES (1024 * 1024)

typedef struct {
	HvrSerialHeard heard;
	gpointer user_data;
} Listener;

struct HvrSerialHub {
	HvrSerialEnds ends;
	HvrLogFile record, copy;
	GPtrArray *clients; /* of HvrSerialClient */
	GArray *listeners;  /* of Listener */
	GByteArray *typed;  /* what the port has not taken yet */
	guint64 heard;
	guint reading, writing;
	guint on_client, on_console;
	gboolean ended; /* QEMU has closed the port */
};

static gboolean has_room(const HvrSerialHub *hub)
{
	for (guint i = 0; i < hub->clients->len; i++)
		if (!hvr_serial_client_has_room(g_ptr_array_index(hub->clients, i)))
			return FALSE;
	return TRUE;
}

static void keep(HvrLogFile *file, const char *what, const char *bytes, gsize length)
{
	if (!hvr_log_file_add(file, bytes, length))
		hvr_message("warning: %s of the serial port is full: nothing more is kept", what);
}

static void deal(HvrSerialHub *hub, char *bytes, gsize length)
{
	hub->heard += length;
	for (guint i = 0; i < hub->clients->len; i++)
		hvr_serial_client_put(g_ptr_array_index(hub->clients, i), bytes, length);
	/* In a log, NUL is a byte of the hole. */
	for (char *nul = bytes; (nul = memchr(nul, '\0', length - (gsize)(nul - bytes)));)
		*nul = '?';
	keep(&hub->record, "the record", bytes, length);
	keep(&hub->copy, "the copy", bytes, length);
	for (guint i = 0; i < hub->listeners->len; i++) {
		const Listener *listener = &g_array_index(hub->listeners, Listener, i);
		listener->heard(bytes, length, listener->user_data);
	}
}

/* FALSE: nothing is there now, or nothing comes any more. */
static gboolean take(HvrSerialHub *hub)
{
	char bytes[TURN_BYTES];
	ssize_t n = -1;

	if (hub->ended)
		return FALSE;
	n = recv(hub->ends.port, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n > 0)
		deal(hub, bytes, (gsize)n);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		hub->ended = TRUE;
	return n > 0;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data);
static gboolean on_writable(gint fd, GIOCondition condition, gpointer user_data);

static void watch(HvrSerialHub *hub, guint *id, GIOCondition condition, gboolean wanted,
		  GUnixFDSourceFunc on_event)
{
	if (!wanted)
		g_clear_handle_id(id, g_source_remove);
	else if (!*id)
		*id = g_unix_fd_add_full(G_PRIORITY_LOW, hub->ends.port, condition, on_event, hub,
					 NULL);
}

/* Gives the port what it takes now. Keys for a guest that is gone are nobody's. */
static void pass_typed(HvrSerialHub *hub)
{
	ssize_t n = send(hub->ends.port, hub->typed->data, hub->typed->len,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		n = (ssize_t)hub->typed->len;
	if (n > 0)
		g_byte_array_remove_range(hub->typed, 0, (guint)n);
}

/* Who is gone goes, and what is waited for is settled anew. */
static void on_changed(gpointer user_data)
{
	HvrSerialHub *hub = user_data;

	for (guint i = hub->clients->len; i > 0; i--)
		if (hvr_serial_client_is_gone(g_ptr_array_index(hub->clients, i - 1)))
			g_ptr_array_remove_index_fast(hub->clients, i - 1);
	if (hub->typed->len)
		pass_typed(hub);
	for (guint i = 0; i < hub->clients->len; i++)
		hvr_serial_client_listen_to(g_ptr_array_index(hub->clients, i),
					    hub->typed->len == 0);
	watch(hub, &hub->writing, G_IO_OUT, hub->typed->len > 0, on_writable);
	watch(hub, &hub->reading, G_IO_IN, !hub->ended && has_room(hub), on_readable);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data)
{
	take(user_data);
	on_changed(user_data);
	return G_SOURCE_CONTINUE;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer user_data)
{
	on_changed(user_data);
	return G_SOURCE_CONTINUE;
}

static void on_typed(const void *bytes, gsize length, gpointer user_data)
{
	HvrSerialHub *hub = user_data;

	g_byte_array_append(hub->typed, bytes, (guint)length);
}

/* @fd: taken */
static HvrSerialClient *add_client(HvrSerialHub *hub, int fd, guint patience_ms)
{
	const HvrSerialClientStart start = { .fd = fd,
					     .patience_ms = patience_ms,
					     .typed = on_typed,
					     .changed = on_changed,
					     .user_data = hub };
	HvrSerialClient *client = hvr_serial_client_new(&start);

	g_ptr_array_add(hub->clients, client);
	return client;
}

static gboolean on_connection(gint fd, GIOCondition condition, gpointer user_data)
{
	static const char many[] = "hailo-vm-run: too many have joined this serial port\r\n";
	HvrSerialHub *hub = user_data;
	g_auto(HvrFd) connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (connection < 0)
		return G_SOURCE_CONTINUE;
	if (hub->clients->len >= HVR_SERIAL_CLIENTS_MOST) {
		(void)!send(connection, many, strlen(many), MSG_DONTWAIT | MSG_NOSIGNAL);
		return G_SOURCE_CONTINUE;
	}
	HvrSerialClient *client = add_client(hub, g_steal_fd(&connection), 0);
	if (fd == hub->ends.consoles) {
		g_autoptr(GString) replay = hvr_serial_replay(hub->ends.record);
		hvr_serial_client_put(client, replay->str, replay->len);
	}
	on_changed(hub);
	return G_SOURCE_CONTINUE;
}

HvrSerialHub *hvr_serial_hub_new(HvrSerialEnds *ends, int copy)
{
	HvrSerialHub *hub = g_new0(HvrSerialHub, 1);

	hub->ends = *ends;
	*ends = (HvrSerialEnds)HVR_SERIAL_ENDS_NONE;
	hub->record = (HvrLogFile){ .fd = hub->ends.record };
	hub->copy = (HvrLogFile){ .fd = copy };
	hub->clients = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_serial_client_free);
	hub->listeners = g_array_new(FALSE, FALSE, sizeof(Listener));
	hub->typed = g_byte_array_new();
	hub->on_client = g_unix_fd_add(hub->ends.clients, G_IO_IN, on_connection, hub);
	hub->on_console = g_unix_fd_add(hub->ends.consoles, G_IO_IN, on_connection, hub);
	on_changed(hub);
	return hub;
}

void hvr_serial_hub_free(HvrSerialHub *hub)
{
	guint64 most;

	if (!hub)
		return;
	most = hub->heard + DRAIN_MAX_BYTES;
	while (hub->heard < most && take(hub))
		;
	watch(hub, &hub->reading, G_IO_IN, FALSE, NULL);
	watch(hub, &hub->writing, G_IO_OUT, FALSE, NULL);
	g_source_remove(hub->on_client);
	g_source_remove(hub->on_console);
	g_ptr_array_unref(hub->clients);
	g_array_unref(hub->listeners);
	g_byte_array_unref(hub->typed);
	hvr_serial_ends_clear(&hub->ends);
	g_free(hub);
}

void hvr_serial_hub_hear(HvrSerialHub *hub, HvrSerialHeard heard, gpointer user_data)
{
	const Listener listener = { .heard = heard, .user_data = user_data };

	g_array_append_val(hub->listeners, listener);
}

void hvr_serial_hub_unhear(HvrSerialHub *hub, HvrSerialHeard heard, gpointer user_data)
{
	for (guint i = hub->listeners->len; i > 0; i--) {
		const Listener *listener = &g_array_index(hub->listeners, Listener, i - 1);
		if (listener->heard == heard && listener->user_data == user_data)
			g_array_remove_index(hub->listeners, i - 1);
	}
}

int hvr_serial_hub_join(HvrSerialHub *hub, guint patience_ms)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	add_client(hub, pair[0], patience_ms);
	return pair[1];
}

void hvr_serial_hub_feed(gpointer user_data)
{
	HvrSerialHub *hub = user_data;
	gboolean more = TRUE;

	while (more) {
		for (guint i = 0; i < hub->clients->len; i++)
			hvr_serial_client_flush(g_ptr_array_index(hub->clients, i));
		more = has_room(hub) && take(hub);
	}
	for (guint i = 0; hub->ended && i < hub->clients->len; i++)
		hvr_serial_client_end(g_ptr_array_index(hub->clients, i));
}

int hvr_serial_hub_file(const HvrSerialHub *hub)
{
	return hub->ends.file;
}

guint64 hvr_serial_hub_heard(const HvrSerialHub *hub)
{
	return hub->heard;
}
