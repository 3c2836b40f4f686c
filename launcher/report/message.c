/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages go out with one write(2) each, so that lines of several processes do not mix.
 *
 * Whoever made a message, its words may be somebody else's: a profile's, QEMU's, the kernel's. So
 * each is made harmless here, where all of them pass.
 *
 * A supervisor must not stand still because nobody reads its standard error. poll(2) calls a pipe
 * writable when a page of it is free, so a write of at most a page never blocks then.
 */
#include "launcher/report/message.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "launcher/report/log-file.h"
#include "launcher/report/text.h"
#include "vfio/fd.h"

#define PREFIX "hailo-vm-run: "
/* How long a reader may take before what is said is lost; one that was too slow gets no more time
 * until it reads again. */
#define PATIENCE_MS 1000

static HvrLogFile file = { .fd = -1 }; /* STDERR_FILENO, where that is one */
static HvrLogFile record = { .fd = -1 };
static HvrLogFile copy = { .fd = -1 };

/* Our terminal has no line discipline, for now; and it is at the begin of a line. */
static gboolean raw, fresh;

static void (*before)(void);

void hvr_message_before(void (*func)(void))
{
	before = func;
}

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

void hvr_message_record(int fd)
{
	hvr_fd_close(record.fd);
	record = (HvrLogFile){ .fd = fd };
}

void hvr_message_keep(int fd)
{
	if (dup2(fd, STDERR_FILENO) != STDERR_FILENO)
		return;
	file.fd = STDERR_FILENO;
	hvr_message_record(-1);
}

void hvr_message_raw(gboolean is_raw)
{
	raw = fresh = is_raw;
}

void hvr_message_beside(char last)
{
	fresh = last == '\n';
}

void hvr_message_copy(int fd)
{
	copy = (HvrLogFile){ .fd = fd };
}

/* What a file that is full ends with. */
static void say_last(const HvrLogFile *kept)
{
	static const char last[] = PREFIX "this file is full: nothing more is kept\n";

	if (write(kept->fd, last, strlen(last)) < 0)
		return; /* said or not, it is full */
}

static void keep(HvrLogFile *kept, const GString *text)
{
	if (!hvr_log_file_add(kept, text->str, text->len))
		say_last(kept);
}

static void show(const GString *text)
{
	gsize done = 0;

	while (done < text->len && !file.full && somebody_reads()) {
		ssize_t written =
			write(STDERR_FILENO, text->str + done, MIN(text->len - done, PIPE_BUF));
		if (written < 0)
			return; /* nobody is left to be told */
		done += (gsize)written;
		if (file.fd >= 0 && !hvr_log_file_grown(&file, (gsize)written))
			say_last(&file);
	}
}

static void show_raw(const GString *text)
{
	g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
	g_autofree char *joined = g_strjoinv("\r\n", lines);
	g_autoptr(GString) shown = g_string_new(fresh ? NULL : "\r\n");

	fresh = TRUE;
	g_string_append(shown, joined);
	show(shown);
}

static void emit(const GString *text)
{
	if (before)
		before();
	keep(&record, text);
	keep(&copy, text);
	if (raw && text->len)
		show_raw(text);
	else
		show(text);
}

void hvr_message_bytes(const char *bytes, gsize length)
{
	g_autoptr(GString) text = g_string_sized_new(length);

	hvr_text_append(text, bytes, length, HVR_TEXT_LINES);
	emit(text);
}

static void append_line(GString *text, const char *kind, const char *what)
{
	g_string_append(text, kind);
	hvr_text_append(text, what, strlen(what), HVR_TEXT_ONE_LINE);
	g_string_append_c(text, '\n');
}

void hvr_message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autoptr(GString) line = g_string_new(PREFIX);
	append_line(line, "", text);
	emit(line);
}

static void emit_error(const char *kind, const GError *error)
{
	g_auto(GStrv) parts = g_strsplit(error->message, "\n", 2);
	g_autoptr(GString) text = g_string_new(PREFIX);

	append_line(text, kind, parts[0]);
	if (parts[1])
		append_line(text, "hint: ", parts[1]);
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
