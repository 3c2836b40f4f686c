/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages go out with one write(2) each, so that lines of several processes do not mix.
 */
#include "launcher/message.h"

#include <string.h>
#include <unistd.h>

#define PREFIX "hailo-vm-run: "

static void emit(const char *text)
{
	ssize_t written = write(STDERR_FILENO, text, strlen(text));
	(void)written; /* nobody is left to be told */
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
	g_autofree char *text = g_strconcat(PREFIX, kind, parts[0], "\n", parts[1] ? "hint: " : "",
					    parts[1] ? parts[1] : "", parts[1] ? "\n" : "", NULL);
	emit(text);
}

void hvr_message_error(const GError *error)
{
	emit_error("", error);
}

void hvr_message_warning(const GError *error)
{
	emit_error("warning: ", error);
}
