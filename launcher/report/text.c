/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One printer for all that others have said. It asks Unicode's categories, not a list of sequences
 * that some terminal obeys: every sequence begins with a control character, and what turns a line
 * round is a format character.
 */
#include "launcher/report/text.h"

#include <stdio.h>
#include <string.h>

gboolean hvr_text_is_harmless(gunichar c)
{
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
		return c == '\t';
	case G_UNICODE_FORMAT:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
	case G_UNICODE_SURROGATE:
		return FALSE;
	default:
		return TRUE;
	}
}

static void append_escape(GString *out, gunichar c)
{
	if (c < 0x80)
		g_string_append_printf(out, "\\x%02x", c);
	else if (c <= 0xffff)
		g_string_append_printf(out, "\\u%04x", c);
	else
		g_string_append_printf(out, "\\U%08x", c);
}

/* How many bytes at the begin are printable ASCII, as nearly all are. */
static gsize plain_length(const char *bytes, gsize length)
{
	gsize n = 0;

	while (n < length && bytes[n] >= ' ' && bytes[n] <= '~')
		n++;
	return n;
}

/* GLib also waits for characters of five and six bytes, of which there are none, and where a NUL
 * is. */
static gboolean may_go_on(const char *bytes, gsize length)
{
	return (guchar)*bytes < 0xf8 && strnlen(bytes, length) == length;
}

/* Returns: how many bytes it was; 0: it may go on in those that come. */
static gsize append_character(GString *out, const char *bytes, gsize length, gboolean more)
{
	gunichar c = (guchar)*bytes;

	/* NUL is a character here, which GLib's texts have none of. */
	if (c >= 0x80)
		c = g_utf8_get_char_validated(bytes, (gssize)length);
	if (c == (gunichar)-2 && more && may_go_on(bytes, length))
		return 0;
	if (c == (gunichar)-1 || c == (gunichar)-2) {
		g_string_append_printf(out, "\\x%02x", (guchar)*bytes);
		return 1;
	}
	gsize taken = (gsize)g_unichar_to_utf8(c, NULL);
	if (hvr_text_is_harmless(c))
		g_string_append_len(out, bytes, (gssize)taken);
	else
		append_escape(out, c);
	return taken;
}

/* "\n" or "\r\n". Returns: how many bytes of @bytes are a line's end */
static gsize line_end(const char *bytes, gsize length)
{
	if (*bytes == '\n')
		return 1;
	return length > 1 && bytes[0] == '\r' && bytes[1] == '\n' ? 2 : 0;
}

gsize hvr_text_append(GString *out, const char *bytes, gsize length, HvrTextFlags flags)
{
	gboolean lines = (flags & HVR_TEXT_LINES) != 0, more = (flags & HVR_TEXT_MORE) != 0;
	gsize at = 0;

	while (at < length) {
		gsize left = length - at;
		gsize taken = plain_length(bytes + at, left);

		if (taken == 0 && lines)
			taken = line_end(bytes + at, left);
		if (taken > 0)
			g_string_append_len(out, bytes + at, (gssize)taken);
		else if (lines && more && left == 1 && bytes[at] == '\r')
			break;
		else
			taken = append_character(out, bytes + at, left, more);
		if (taken == 0)
			break;
		at += taken;
	}
	return at;
}

char *hvr_text_safe(const char *text)
{
	GString *out = g_string_new(NULL);

	hvr_text_append(out, text, strlen(text), HVR_TEXT_ONE_LINE);
	return g_string_free(out, FALSE);
}

void hvr_text_print(const char *text)
{
	g_autoptr(GString) out = g_string_new(NULL);

	hvr_text_append(out, text, strlen(text), HVR_TEXT_LINES);
	fputs(out->str, stdout);
}

char *hvr_text_time(guint64 ms)
{
	guint64 seconds = (ms + 500) / 1000;

	if (ms > 0 && ms < 1000)
		return g_strdup_printf("0.%d s", (int)(ms / 100));
	if (seconds < 60)
		return g_strdup_printf("%d s", (int)seconds);
	if (seconds % 60 == 0)
		return g_strdup_printf("%" G_GUINT64_FORMAT " min", seconds / 60);
	return g_strdup_printf("%" G_GUINT64_FORMAT " min %d s", seconds / 60, (int)(seconds % 60));
}

/* How many characters of @text stand on a line of @room: whole words, where one is not longer. */
static glong chars_that_fit(const char *text, glong room)
{
	glong length = g_utf8_strlen(text, -1);

	if (length <= room)
		return length;
	for (glong n = room; n > 0; n--)
		if (*g_utf8_offset_to_pointer(text, n) == ' ')
			return n;
	return room;
}

void hvr_text_append_wrapped(GString *out, const char *text, guint indent, guint width)
{
	glong room = width ? MAX((glong)width - (glong)indent, 1) : G_MAXLONG;

	while (TRUE) {
		const char *end = g_utf8_offset_to_pointer(text, chars_that_fit(text, room));
		g_string_append_len(out, text, end - text);
		g_string_append_c(out, '\n');
		while (*end == ' ')
			end++;
		if (!*end)
			return;
		text = end;
		g_string_append_printf(out, "%*s", (int)indent, "");
	}
}
