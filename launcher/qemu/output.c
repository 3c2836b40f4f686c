/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes go to our own standard error as they are; beside that they are cut into lines, of bounded
 * length, and the first one that is understood is remembered.
 */
#include "launcher/qemu/output.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

#include "launcher/qemu/diagnose.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

#define LINE_MAX_BYTES 4096

struct HvrQemuOutput {
	int fd;
	guint source;
	GString *line;
	const char *meaning;
};

static void take_line(HvrQemuOutput *output)
{
	if (!output->meaning)
		output->meaning = hvr_diagnose(output->line->str);
	g_string_truncate(output->line, 0);
}

static void take(HvrQemuOutput *output, const char *bytes, gsize length)
{
	for (gsize i = 0; i < length; i++) {
		if (bytes[i] == '\n')
			take_line(output);
		else if (bytes[i] != '\0' && output->line->len < LINE_MAX_BYTES)
			g_string_append_c(output->line, bytes[i]);
	}
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data)
{
	HvrQemuOutput *output = user_data;
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return G_SOURCE_CONTINUE;
	if (n <= 0) {
		output->source = 0;
		return G_SOURCE_REMOVE;
	}
	hvr_message_bytes(bytes, (gsize)n);
	take(output, bytes, (gsize)n);
	return G_SOURCE_CONTINUE;
}

HvrQemuOutput *hvr_qemu_output_new(int fd)
{
	HvrQemuOutput *output = g_new0(HvrQemuOutput, 1);

	g_unix_set_fd_nonblocking(fd, TRUE, NULL);
	output->fd = fd;
	output->line = g_string_new(NULL);
	output->source = g_unix_fd_add(fd, G_IO_IN, on_readable, output);
	return output;
}

void hvr_qemu_output_drain(HvrQemuOutput *output)
{
	char bytes[4096];
	ssize_t n;

	while (output && (n = read(output->fd, bytes, sizeof(bytes))) > 0) {
		hvr_message_bytes(bytes, (gsize)n);
		take(output, bytes, (gsize)n);
	}
	if (output && output->line->len)
		take_line(output);
}

void hvr_qemu_output_free(HvrQemuOutput *output)
{
	if (!output)
		return;
	if (output->source)
		g_source_remove(output->source);
	hvr_fd_close(output->fd);
	g_string_free(output->line, TRUE);
	g_free(output);
}

const char *hvr_qemu_output_meaning(const HvrQemuOutput *output)
{
	if (!output)
		return NULL;
	return output->meaning;
}
