/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client that has ended its own side (socat, of a pipe) is still there, so only a hang-up or a
 * write that fails means that it is gone.
 */
#include "launcher/session/serial-client.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>

#include "vfio/fd.h"

/* What is held for one that does not read: behind it is its socket's buffer, which is larger. */
#define HELD_MOST 65536
/* From there on, one that is waited for has no room. */
#define PATIENT_MOST 16384
/* Of what is typed, at once. */
#define TYPED_BYTES 1024

struct HvrSerialClient {
	HvrSerialClientStart how;
	GByteArray *held;
	guint64 left_out; /* bytes that were lost, since the last that was not */
	guint reading, writing, leaving;
	guint late;	 /* it is waited for until this timer; 0: it is not */
	gboolean passed; /* it was waited for in vain, and has not taken what is held since */
	gboolean silent; /* it has ended its side */
	gboolean gone;
};

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data);
static gboolean on_writable(gint fd, GIOCondition condition, gpointer user_data);

/* Is there somebody who may lose nothing now? */
static gboolean is_waited_for(const HvrSerialClient *client)
{
	return client->how.patience_ms > 0 && !client->passed && !client->gone;
}

static gboolean on_late(gpointer user_data)
{
	HvrSerialClient *client = user_data;

	client->late = 0;
	client->passed = TRUE;
	client->how.changed(client->how.user_data);
	return G_SOURCE_REMOVE;
}

/* Anew from each moment at which it takes something. */
static void wait_for(HvrSerialClient *client)
{
	gboolean full = client->held->len >= PATIENT_MOST;

	g_clear_handle_id(&client->late, g_source_remove);
	if (full && is_waited_for(client) && client->how.patience_ms != HVR_SERIAL_FOR_EVER)
		client->late = g_timeout_add(client->how.patience_ms, on_late, client);
}

static void watch(HvrSerialClient *client, guint *id, GIOCondition condition, gboolean wanted,
		  GUnixFDSourceFunc on_event)
{
	if (!wanted)
		g_clear_handle_id(id, g_source_remove);
	else if (!*id)
		*id = g_unix_fd_add(client->how.fd, condition, on_event, client);
}

static void leave(HvrSerialClient *client)
{
	client->gone = TRUE;
	g_byte_array_set_size(client->held, 0);
	g_clear_handle_id(&client->late, g_source_remove);
	watch(client, &client->reading, G_IO_IN, FALSE, NULL);
	watch(client, &client->writing, G_IO_OUT, FALSE, NULL);
	watch(client, &client->leaving, G_IO_HUP, FALSE, NULL);
}

/* Said in between, where the bytes would have been. */
static void say_left_out(HvrSerialClient *client)
{
	g_autofree char *line = NULL;

	if (!client->left_out)
		return;
	line = g_strdup_printf("\r\n[hailo-vm-run: %" G_GUINT64_FORMAT " bytes left out]\r\n",
			       client->left_out);
	client->left_out = 0;
	g_byte_array_append(client->held, (const guint8 *)line, (guint)strlen(line));
}

static gboolean pass(HvrSerialClient *client)
{
	GByteArray *held = client->held;
	ssize_t n = send(client->how.fd, held->data, held->len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		g_byte_array_remove_range(held, 0, (guint)n);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		leave(client);
	return n > 0;
}

gboolean hvr_serial_client_flush(HvrSerialClient *client)
{
	guint before = client->held->len;

	while (client->held->len > 0 && pass(client))
		if (client->held->len == 0)
			say_left_out(client);
	if (client->held->len == 0)
		client->passed = FALSE;
	if (client->held->len < before || !client->late)
		wait_for(client);
	if (!client->gone)
		watch(client, &client->writing, G_IO_OUT, client->held->len > 0, on_writable);
	return client->held->len > 0;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer user_data)
{
	HvrSerialClient *client = user_data;

	hvr_serial_client_flush(client);
	client->how.changed(client->how.user_data);
	return G_SOURCE_CONTINUE;
}

/* What it has typed before still counts. */
static gboolean on_left(gint fd, GIOCondition condition, gpointer user_data)
{
	HvrSerialClient *client = user_data;
	char bytes[TYPED_BYTES];
	gsize left = HELD_MOST;
	ssize_t n;

	while (left > 0 && (n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		client->how.typed(bytes, (gsize)n, client->how.user_data);
		left -= MIN(left, (gsize)n);
	}
	leave(client);
	client->how.changed(client->how.user_data);
	return G_SOURCE_CONTINUE;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data)
{
	HvrSerialClient *client = user_data;
	char bytes[TYPED_BYTES];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n > 0)
		client->how.typed(bytes, (gsize)n, client->how.user_data);
	else if (n < 0)
		leave(client);
	if (n == 0) {
		client->silent = TRUE;
		watch(client, &client->reading, G_IO_IN, FALSE, NULL);
	}
	client->how.changed(client->how.user_data);
	return G_SOURCE_CONTINUE;
}

HvrSerialClient *hvr_serial_client_new(const HvrSerialClientStart *start)
{
	HvrSerialClient *client = g_new0(HvrSerialClient, 1);

	client->how = *start;
	client->held = g_byte_array_new();
	watch(client, &client->leaving, G_IO_HUP, TRUE, on_left);
	hvr_serial_client_listen_to(client, TRUE);
	return client;
}

void hvr_serial_client_free(HvrSerialClient *client)
{
	hvr_serial_client_flush(client);
	leave(client);
	g_byte_array_unref(client->held);
	hvr_fd_close(client->how.fd);
	g_free(client);
}

void hvr_serial_client_put(HvrSerialClient *client, const void *bytes, gsize length)
{
	if (client->gone)
		return;
	/* Until it has taken what is held: else it would be told in the middle of it. */
	if (!is_waited_for(client) &&
	    (client->left_out || client->held->len + length > HELD_MOST)) {
		client->left_out += length;
		return;
	}
	g_byte_array_append(client->held, bytes, (guint)length);
	hvr_serial_client_flush(client);
}

gboolean hvr_serial_client_has_room(const HvrSerialClient *client)
{
	return !is_waited_for(client) || client->held->len < PATIENT_MOST;
}

gboolean hvr_serial_client_is_gone(const HvrSerialClient *client)
{
	return client->gone;
}

void hvr_serial_client_listen_to(HvrSerialClient *client, gboolean listen)
{
	gboolean wanted = listen && !client->silent && !client->gone;

	watch(client, &client->reading, G_IO_IN, wanted, on_readable);
}

void hvr_serial_client_end(HvrSerialClient *client)
{
	if (client->held->len == 0)
		shutdown(client->how.fd, SHUT_WR);
}
