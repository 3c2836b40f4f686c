/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For a VM whose serial port nobody looks at, but may want to have looked at.
 */
#include "launcher/session/serial-log.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>

#include "launcher/report/log-file.h"
#include "vfio/fd.h"

/* More than a socket's buffer (/proc/sys/net/core/wmem_default). */
#define DRAIN_MAX_BYTES (1024 * 1024)

struct HvrSerialLog {
	int port, log;
	guint source;	 /* 0: nothing more comes */
	gboolean full;	 /* its file system cannot take the middle out of it */
	gsize new_bytes; /* since it was cut */
};

/* In a log, NUL is a byte of the hole. */
static void keep(HvrSerialLog *serial, char *bytes, gsize length)
{
	for (char *nul = bytes; (nul = memchr(nul, '\0', length - (gsize)(nul - bytes)));)
		*nul = '?';
	if (serial->full)
		return;
	serial->full = !hvr_fd_write_all(serial->log, bytes, length);
	serial->new_bytes += length;
	if (serial->new_bytes < HVR_LOG_TURN_BYTES)
		return;
	serial->new_bytes = 0;
	serial->full = serial->full || !hvr_log_cut(serial->log);
}

/* Returns: how many bytes; 0 at the end; -1 with errno set */
static ssize_t take(HvrSerialLog *serial)
{
	char bytes[4096];
	ssize_t n = recv(serial->port, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		keep(serial, bytes, (gsize)n);
	return n;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data)
{
	HvrSerialLog *serial = user_data;
	ssize_t n = take(serial);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return G_SOURCE_CONTINUE;
	serial->source = 0;
	return G_SOURCE_REMOVE;
}

HvrSerialLog *hvr_serial_log_new(int port, int log)
{
	HvrSerialLog *serial = g_new(HvrSerialLog, 1);

	*serial = (HvrSerialLog){ .port = port, .log = log };
	serial->source =
		g_unix_fd_add_full(G_PRIORITY_LOW, port, G_IO_IN, on_readable, serial, NULL);
	return serial;
}

void hvr_serial_log_free(HvrSerialLog *serial)
{
	gsize left = DRAIN_MAX_BYTES;
	ssize_t n;

	if (!serial)
		return;
	while (left > 0 && (n = take(serial)) > 0)
		left -= MIN(left, (gsize)n);
	if (serial->source)
		g_source_remove(serial->source);
	g_free(serial);
}
