/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/serial-replay.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/report/text.h"

#define BYTES_MOST 4096
#define LINES_MOST 20

#define ESCAPE '\x1b'
#define BELL   '\x07'

/* "\x1b[1;32m" is one, of ECMA-48: parameters, intermediate bytes, a final one. Returns: where it
 * ends, or @length where it does not */
static gsize skip_control(const char *bytes, gsize length)
{
	gsize at = 2;

	while (at < length && bytes[at] >= ' ' && bytes[at] <= '?')
		at++;
	return MIN(at + 1, length);
}

/* "\x1b]0;title\x07": what it says is for the window. */
static gsize skip_string(const char *bytes, gsize length)
{
	gsize at = 2;

	while (at < length && bytes[at] != BELL && bytes[at] != ESCAPE && bytes[at] != '\n')
		at++;
	if (at + 1 < length && bytes[at] == ESCAPE && bytes[at + 1] == '\\')
		return at + 2;
	return at < length && bytes[at] == BELL ? at + 1 : at;
}

/* Returns: how many bytes at @bytes are such a sequence; 0: none are. */
static gsize sequence_length(const char *bytes, gsize length)
{
	if (length < 2 || bytes[0] != ESCAPE)
		return 0;
	if (bytes[1] == '[')
		return skip_control(bytes, length);
	if (strchr("]P_^X", bytes[1]) && bytes[1])
		return skip_string(bytes, length);
	if (strchr("()*+#% ", bytes[1]) && bytes[1])
		return MIN((gsize)3, length);
	return 2;
}

/* Without sequences, and each line with the end that a raw terminal needs. */
static GString *strip(const char *bytes, gsize length)
{
	GString *text = g_string_new(NULL);

	for (gsize at = 0; at < length;) {
		gsize skipped = sequence_length(bytes + at, length - at);
		gsize ends = strspn(bytes + at, "\r\n");
		at += skipped;
		if (skipped)
			continue;
		if (ends && memchr(bytes + at, '\n', ends))
			g_string_append_c(text, '\n');
		if (!ends)
			g_string_append_c(text, bytes[at]);
		at += MAX(ends, 1);
	}
	return text;
}

/* Where the last lines begin; the very last one may have no end. */
static const char *last_lines(const GString *text)
{
	const char *at = text->str + text->len;

	for (guint lines = 0; at > text->str; at--) {
		if (at[-1] == '\n' && at != text->str + text->len && ++lines == LINES_MOST)
			break;
	}
	return at;
}

GString *hvr_serial_replay(int record)
{
	char bytes[BYTES_MOST + 1];
	GString *out = g_string_new(NULL);
	struct stat st;
	ssize_t n = -1;

	if (fstat(record, &st) == 0)
		n = pread(record, bytes, BYTES_MOST, MAX(st.st_size - BYTES_MOST, 0));
	if (n <= 0)
		return out;
	bytes[n] = '\0';
	/* The first line is mostly one that has begun before. */
	const char *begin = st.st_size > BYTES_MOST ? memchr(bytes, '\n', (gsize)n) : NULL;
	if (!begin)
		begin = bytes;
	g_autoptr(GString) text = strip(begin, (gsize)(bytes + n - begin));
	g_autoptr(GString) safe = g_string_new(NULL);
	const char *lines = last_lines(text);
	hvr_text_append(safe, lines, (gsize)(text->str + text->len - lines), HVR_TEXT_LINES);
	for (const char *at = safe->str; *at; at++) {
		if (*at == '\n')
			g_string_append_c(out, '\r');
		g_string_append_c(out, *at);
	}
	return out;
}
