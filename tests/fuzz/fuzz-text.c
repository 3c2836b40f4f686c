/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes through the printer for others' text: what comes out is UTF-8 without a character that
 * a terminal obeys, is the same when it goes through again, and does not depend on how the bytes
 * came in pieces. Printable ASCII stays. As JSON, the same holds, and it reads as what it was.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "launcher/report/json.h"
#include "launcher/report/text.h"

/* By ranges, where the printer goes by Unicode's categories. */
static gboolean is_dangerous(gunichar c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029 || c == 0xfeff;
}

static void check_harmless(const char *text, gsize length, gboolean lines)
{
	g_assert(strlen(text) == length);
	g_assert(g_utf8_validate(text, (gssize)length, NULL));
	for (const char *c = text; *c; c = g_utf8_next_char(c)) {
		gboolean line_end = *c == '\n' || (c[0] == '\r' && c[1] == '\n');
		g_assert(*c == '\t' || (lines && line_end) || !is_dangerous(g_utf8_get_char(c)));
	}
}

static GString *print(const char *bytes, gsize length, HvrTextFlags flags)
{
	GString *out = g_string_new(NULL);

	g_assert(hvr_text_append(out, bytes, length, flags) == length);
	check_harmless(out->str, out->len, (flags & HVR_TEXT_LINES) != 0);
	return out;
}

/* @piece: how many bytes come at once */
static void check_pieces(const char *bytes, gsize length, gsize piece, const GString *whole)
{
	g_autoptr(GString) waiting = g_string_new(NULL);
	g_autoptr(GString) out = g_string_new(NULL);

	for (gsize at = 0; at < length; at += piece) {
		g_string_append_len(waiting, bytes + at, (gssize)MIN(piece, length - at));
		gsize taken = hvr_text_append(out, waiting->str, waiting->len,
					      HVR_TEXT_LINES | HVR_TEXT_MORE);
		g_string_erase(waiting, 0, (gssize)taken);
		g_assert(waiting->len <= 3);
	}
	hvr_text_append(out, waiting->str, waiting->len, HVR_TEXT_LINES);
	g_assert(g_string_equal(out, whole));
}

static void check_json(const char *bytes, gsize length)
{
	g_autofree char *text = g_strndup(bytes, length);
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), valid);
	g_autofree char *json = hvr_json_text(node);

	check_harmless(json, strlen(json), FALSE);
	g_autoptr(JsonNode) again = json_from_string(json, NULL);
	g_assert_cmpstr(json_node_get_string(again), ==, valid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	g_autoptr(GString) line = print(bytes, size, HVR_TEXT_ONE_LINE);
	g_autoptr(GString) lines = print(bytes, size, HVR_TEXT_LINES);
	g_autoptr(GString) twice = print(lines->str, lines->len, HVR_TEXT_LINES);
	gboolean plain = TRUE;

	g_assert(g_string_equal(twice, lines));
	for (size_t i = 0; i < size && plain; i++)
		plain = data[i] >= ' ' && data[i] <= '~';
	if (plain)
		g_assert(line->len == size && memcmp(line->str, bytes, size) == 0);
	for (gsize piece = 1; piece <= 4; piece++)
		check_pieces(bytes, size, piece, lines);
	check_json(bytes, size);
	return 0;
}
