/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages go out with one write(2) each, so that lines of several processes do not mix.
 *
 * A supervisor must not stand still because nobody reads its standard error. poll(2) calls a pipe
 * writable when a page of it is free, so a write of at most a page never blocks then.
 */
#include "launcher/report/message.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "hailo-vm-run: "
/* How long a reader may take before what is said is lost; one that was too slow gets no more time
 * until it reads again. */
#define PATIENCE_MS 1000

static gboolean somebody_reads(void)
{
	static int patience_ms = PATIENCE_MS;
	struct pollfd poller = { .fd = STDERR_FILENO, .events = POLLOUT };
	gboolean slow = poll(&poller, 1, patience_ms) == 0;

	if (slow)
		patience_ms = 0;
	else
		patience_ms = PATIENCE_MS;
	return !slow;
}

void hvr_message_bytes(const char *bytes, gsize length)
{
	while (length > 0 && somebody_reads()) {
		ssize_t written = write(STDERR_FILENO, bytes, MIN(length, PIPE_BUF));
		if (written < 0)
			return; /* nobody is left to be told */
		bytes += written;
		length -= (gsize)written;
	}
}

static void emit(const char *text)
{
	hvr_message_bytes(text, strlen(text));
}

void hvr_message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *line = g_strconcat(PREFIX, text, "\n", NULL);
	emit(line);
}

static void emit_error(const char *kind, const GError *error)
{
	g_auto(GStrv) parts = g_strsplit(error->message, "\n", 2);
	g_autoptr(GString) text = g_string_new(PREFIX);

	g_string_append_printf(text, "%s%s\n", kind, parts[0]);
	if (parts[1])
		g_string_append_printf(text, "hint: %s\n", parts[1]);
	emit(text->str);
}

void hvr_message_error(const GError *error)
{
	emit_error("", error);
}

void hvr_message_warning(const GError *error)
{
	emit_error("warning: ", error);
}
