/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU may say what it likes, as fast as it can. It is passed on in lines, so that nothing of ours
 * is in the midst of its words, and only when nothing else is to be done. A line that is longer
 * than a bound is several.
 */
#include "launcher/qemu/output.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

#include "launcher/qemu/noise.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

#define LINE_MAX_BYTES 4096

/* All that a pipe of a user without privileges holds (/proc/sys/fs/pipe-max-size). */
#define DRAIN_MAX_BYTES (1024 * 1024)

struct HvrQemuOutput {
	int fd;
	guint source;
	GString *line;
	char *program; /* NULL: nothing has a meaning */
	const HvrDiagnosis *meaning;
};

/* What is said first is the cause of what is said then, unless QEMU went on after it. */
static void understand(HvrQemuOutput *output)
{
	const HvrDiagnosis *meaning;

	if (!output->program || (output->meaning && !output->meaning->mild))
		return;
	meaning = hvr_diagnose(output->program, output->line->str);
	if (meaning && (!output->meaning || !meaning->mild))
		output->meaning = meaning;
}

/* @said: what is passed on */
static void end_line(HvrQemuOutput *output, GString *said)
{
	const char *noise = hvr_noise_of_server(output->line->str);

	if (output->program)
		noise = hvr_noise(output->line->str);
	if (noise) {
		g_debug("%s (%s)", output->line->str, noise);
		g_string_truncate(output->line, 0);
		return;
	}
	understand(output);
	g_string_append_len(said, output->line->str, (gssize)output->line->len);
	g_string_append_c(said, '\n');
	g_string_truncate(output->line, 0);
}

static void take(HvrQemuOutput *output, const char *bytes, gsize length)
{
	g_autoptr(GString) said = g_string_new(NULL);

	for (gsize i = 0; i < length; i++) {
		if (bytes[i] == '\n' || output->line->len == LINE_MAX_BYTES)
			end_line(output, said);
		if (bytes[i] != '\n' && bytes[i] != '\0')
			g_string_append_c(output->line, bytes[i]);
	}
	hvr_message_bytes(said->str, said->len);
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
	take(output, bytes, (gsize)n);
	return G_SOURCE_CONTINUE;
}

HvrQemuOutput *hvr_qemu_output_new(int fd, const char *program)
{
	HvrQemuOutput *output = g_new0(HvrQemuOutput, 1);

	g_unix_set_fd_nonblocking(fd, TRUE, NULL);
	output->fd = fd;
	output->program = g_strdup(program);
	output->line = g_string_new(NULL);
	output->source = g_unix_fd_add_full(G_PRIORITY_LOW, fd, G_IO_IN, on_readable, output, NULL);
	return output;
}

void hvr_qemu_output_drain(HvrQemuOutput *output)
{
	g_autoptr(GString) last = g_string_new(NULL);
	char bytes[4096];
	gsize left = DRAIN_MAX_BYTES;
	ssize_t n;

	while (output && left > 0 && (n = read(output->fd, bytes, MIN(sizeof(bytes), left))) > 0) {
		take(output, bytes, (gsize)n);
		left -= (gsize)n;
	}
	if (!output || output->line->len == 0)
		return;
	end_line(output, last);
	hvr_message_bytes(last->str, last->len);
}

void hvr_qemu_output_free(HvrQemuOutput *output)
{
	if (!output)
		return;
	if (output->source)
		g_source_remove(output->source);
	hvr_fd_close(output->fd);
	g_string_free(output->line, TRUE);
	g_free(output->program);
	g_free(output);
}

const HvrDiagnosis *hvr_qemu_output_meaning(const HvrQemuOutput *output)
{
	if (!output)
		return NULL;
	return output->meaning;
}
