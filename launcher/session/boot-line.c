/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/boot-line.h"

#include "launcher/report/progress.h"

#define ESCAPE '\033'

/* No terminal is wider. */
#define LINE_BYTES 1024

/* Where in an escape sequence (ECMA-48) the next byte is. */
typedef enum {
	OUTSIDE,
	BEGUN,	 /* behind ESC */
	CONTROL, /* behind ESC [, until a byte from @ to ~ */
} Place;

struct HvrBootLine {
	HvrSerialHub *serial;
	GString *text;
	Place place;
};

/* TRUE: the byte is no text. */
static gboolean is_sequence(HvrBootLine *line, char byte)
{
	switch (line->place) {
	case OUTSIDE:
		line->place = byte == ESCAPE ? BEGUN : OUTSIDE;
		return line->place == BEGUN;
	case BEGUN:
		line->place = byte == '[' ? CONTROL : OUTSIDE;
		return TRUE;
	case CONTROL:
		if (byte >= '@' && byte <= '~')
			line->place = OUTSIDE;
		return TRUE;
	}
	return FALSE;
}

/* A carriage return ends one, too: systemd's "A start job is running" ends with nothing else. */
static void on_heard(const char *bytes, gsize length, gpointer user_data)
{
	HvrBootLine *line = user_data;

	for (gsize i = 0; i < length; i++) {
		if (is_sequence(line, bytes[i]))
			continue;
		if (bytes[i] != '\n' && bytes[i] != '\r') {
			if (line->text->len < LINE_BYTES)
				g_string_append_c(line->text, bytes[i]);
			continue;
		}
		if (line->text->len)
			hvr_progress_detail(line->text->str);
		g_string_truncate(line->text, 0);
	}
}

HvrBootLine *hvr_boot_line_new(HvrSerialHub *serial)
{
	HvrBootLine *line = NULL;

	if (!serial)
		return NULL;
	line = g_new0(HvrBootLine, 1);
	line->serial = serial;
	line->text = g_string_new(NULL);
	hvr_serial_hub_hear(serial, on_heard, line);
	return line;
}

void hvr_boot_line_free(HvrBootLine *line)
{
	if (!line)
		return;
	hvr_serial_hub_unhear(line->serial, on_heard, line);
	g_string_free(line->text, TRUE);
	g_free(line);
}
