/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A strict reader that keeps nothing.
 *
 * json-glib 1.6 parses recursively without a limit (about 100000 '[' overflow the stack), aborts
 * at half a surrogate pair, cuts strings at \u0000, ignores what follows the first value, and
 * accepts comments, single quotes and "var x =". So each message passes here first: one loop over
 * the text with an explicit stack of the brackets still to be closed; no recursion, no
 * allocation. Whatever is accepted here is plain JSON that json-glib reads in one way only.
 */
#include "qmp/syntax.h"

#include <string.h>

#include "qmp/error.h"

typedef struct {
	const char *at;
	const char *end;
	guint depth;
	char closer[HVR_QMP_DEPTH_MAX];	  /* what ends each level that is open */
	guint members[HVR_QMP_DEPTH_MAX]; /* how many each of them has so far, if an object */
	guint values;
	const char *problem; /* set by whoever returns FALSE */
} Scan;

static gboolean fail(Scan *scan, const char *problem)
{
	scan->problem = problem;
	return FALSE;
}

static void skip_space(Scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at)
		scan->at++;
}

/* The next character, or NUL at the end: NUL itself is refused before the scan begins. */
static char peek(const Scan *scan)
{
	if (scan->at == scan->end)
		return '\0';
	return *scan->at;
}

static gboolean accept_char(Scan *scan, char wanted)
{
	if (peek(scan) != wanted)
		return FALSE;
	scan->at++;
	return TRUE;
}

/* Four hexadecimal digits behind "\u"; -1 when they are not there. */
static int scan_hex4(Scan *scan)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		int digit = g_ascii_xdigit_value(peek(scan));

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
		scan->at++;
	}
	return value;
}

static gboolean scan_unicode(Scan *scan)
{
	int first = scan_hex4(scan);
	int second;

	if (first < 0)
		return fail(scan, "four hexadecimal digits expected");
	if (first == 0)
		return fail(scan, "NUL in a string");
	if (first < 0xd800 || first > 0xdfff)
		return TRUE;
	if (first > 0xdbff || !accept_char(scan, '\\') || !accept_char(scan, 'u'))
		return fail(scan, "half a surrogate pair");
	second = scan_hex4(scan);
	if (second < 0xdc00 || second > 0xdfff)
		return fail(scan, "half a surrogate pair");
	return TRUE;
}

static gboolean scan_escape(Scan *scan)
{
	char kind = peek(scan);

	if (!kind || !strchr("\"\\/bfnrtu", kind))
		return fail(scan, "unknown escape");
	scan->at++;
	if (kind != 'u')
		return TRUE;
	return scan_unicode(scan);
}

static gboolean scan_string(Scan *scan)
{
	if (!accept_char(scan, '"'))
		return fail(scan, "string expected");
	while (scan->at < scan->end) {
		guchar c = *scan->at++;

		if (c == '"')
			return TRUE;
		if (c < 0x20)
			return fail(scan, "control character in a string");
		if (c == '\\' && !scan_escape(scan))
			return FALSE;
	}
	return fail(scan, "string without an end");
}

static gboolean scan_digits(Scan *scan)
{
	if (!g_ascii_isdigit(peek(scan)))
		return fail(scan, "digit expected");
	while (g_ascii_isdigit(peek(scan)))
		scan->at++;
	return TRUE;
}

static gboolean scan_number(Scan *scan)
{
	accept_char(scan, '-');
	if (!accept_char(scan, '0') && !scan_digits(scan))
		return FALSE;
	if (accept_char(scan, '.') && !scan_digits(scan))
		return FALSE;
	if (!accept_char(scan, 'e') && !accept_char(scan, 'E'))
		return TRUE;
	if (!accept_char(scan, '+'))
		accept_char(scan, '-');
	return scan_digits(scan);
}

static gboolean scan_word(Scan *scan, const char *word)
{
	gsize len = strlen(word);

	if ((gsize)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0)
		return fail(scan, "value expected");
	scan->at += len;
	return TRUE;
}

static gboolean scan_scalar(Scan *scan)
{
	switch (peek(scan)) {
	case '"':
		return scan_string(scan);
	case 't':
		return scan_word(scan, "true");
	case 'f':
		return scan_word(scan, "false");
	case 'n':
		return scan_word(scan, "null");
	default:
		if (peek(scan) != '-' && !g_ascii_isdigit(peek(scan)))
			return fail(scan, "value expected");
		return scan_number(scan);
	}
}

static gboolean scan_key(Scan *scan)
{
	if (++scan->members[scan->depth - 1] > HVR_QMP_MEMBERS_MAX)
		return fail(scan, "an object with too many members");
	skip_space(scan);
	if (!scan_string(scan))
		return FALSE;
	skip_space(scan);
	if (!accept_char(scan, ':'))
		return fail(scan, "':' expected");
	return TRUE;
}

/*
 * Enters a bracket. Sets @out_value when a value must follow; an empty bracket is left again at
 * once and is itself the value.
 */
static gboolean scan_open(Scan *scan, gboolean *out_value)
{
	char closer = ']';

	if (*scan->at++ == '{')
		closer = '}';
	if (scan->depth == HVR_QMP_DEPTH_MAX)
		return fail(scan, "nested too deeply");
	skip_space(scan);
	if (accept_char(scan, closer)) {
		*out_value = FALSE;
		return TRUE;
	}
	scan->members[scan->depth] = 0;
	scan->closer[scan->depth++] = closer;
	*out_value = TRUE;
	return closer == ']' || scan_key(scan);
}

/* Behind a value: closes what ends here. Sets @out_value when a comma announces another one. */
static gboolean scan_after(Scan *scan, gboolean *out_value)
{
	*out_value = FALSE;
	while (scan->depth > 0) {
		char closer = scan->closer[scan->depth - 1];

		skip_space(scan);
		if (accept_char(scan, ',')) {
			*out_value = TRUE;
			return closer == ']' || scan_key(scan);
		}
		if (!accept_char(scan, closer))
			return fail(scan, "',' or a closing bracket expected");
		scan->depth--;
	}
	return TRUE;
}

static gboolean scan_value(Scan *scan)
{
	gboolean value = TRUE;

	while (value) {
		if (++scan->values > HVR_QMP_VALUES_MAX)
			return fail(scan, "too many values");
		skip_space(scan);
		if (peek(scan) == '{' || peek(scan) == '[') {
			if (!scan_open(scan, &value))
				return FALSE;
			if (value)
				continue;
		} else if (!scan_scalar(scan)) {
			return FALSE;
		}
		if (!scan_after(scan, &value))
			return FALSE;
	}
	return TRUE;
}

static gboolean scan_text(Scan *scan)
{
	const char *bad;

	/* Also refuses NUL. */
	if (!g_utf8_validate_len(scan->at, scan->end - scan->at, &bad)) {
		scan->at = bad;
		return fail(scan, "NUL or invalid UTF-8");
	}
	skip_space(scan);
	if (peek(scan) != '{')
		return fail(scan, "object expected");
	if (!scan_value(scan))
		return FALSE;
	skip_space(scan);
	if (scan->at != scan->end)
		return fail(scan, "something follows the object");
	return TRUE;
}

gboolean hvr_qmp_syntax_check(const char *text, gsize len, GError **error)
{
	Scan scan = { .at = text, .end = text + len };

	if (scan_text(&scan))
		return TRUE;
	g_set_error(error, HVR_QMP_ERROR, HVR_QMP_ERROR_PROTOCOL,
		    "malformed message at byte %" G_GSIZE_FORMAT ": %s", (gsize)(scan.at - text),
		    scan.problem);
	return FALSE;
}
