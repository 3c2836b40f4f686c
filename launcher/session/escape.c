/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/escape.h"

#define BEL 0x07
#define ESC 0x1b

static HvrEscapeAction meaning(guint8 key)
{
	switch (key) {
	case 'q':
		return HVR_ESCAPE_QUIT;
	case 'd':
		return HVR_ESCAPE_LEAVE;
	case 's':
		return HVR_ESCAPE_STOP;
	case 'r':
		return HVR_ESCAPE_REBOOT;
	case '?':
		return HVR_ESCAPE_HELP;
	default:
		return HVR_ESCAPE_NONE;
	}
}

static void put(HvrEscaped *escaped, guint8 *out, guint8 key)
{
	out[escaped->n_out++] = key;
}

/* A key that is in no answer of the terminal's. */
static void take_key(HvrEscape *escape, guint8 key, HvrEscaped *escaped, guint8 *out)
{
	gboolean is_behind = escape->waiting;

	if (is_behind && key == ESC) {
		escape->answer = HVR_ESCAPE_BEGUN;
		return;
	}
	escape->waiting = !is_behind && key == HVR_ESCAPE_KEY;
	if (escape->waiting)
		return;
	if (is_behind)
		escaped->action = meaning(key);
	if (escaped->action != HVR_ESCAPE_NONE)
		return;
	if (is_behind && key != HVR_ESCAPE_KEY)
		put(escaped, out, HVR_ESCAPE_KEY);
	put(escaped, out, key);
}

/* Is it an answer? Else Escape was a key, with no meaning behind Ctrl-]. */
static void take_begun(HvrEscape *escape, guint8 key, HvrEscaped *escaped, guint8 *out)
{
	gboolean is_text = key == ']' || key == 'P';

	if (key == '[' || is_text) {
		escape->answer = is_text ? HVR_ESCAPE_TEXT : HVR_ESCAPE_SEQUENCE;
		put(escaped, out, ESC);
		put(escaped, out, key);
		return;
	}
	*escape = (HvrEscape){ 0 };
	put(escaped, out, HVR_ESCAPE_KEY);
	put(escaped, out, ESC);
	take_key(escape, key, escaped, out);
}

/* ECMA-48, 5.4: the last byte of a sequence is one from '@' to '~'. */
static void take_answer(HvrEscape *escape, guint8 key, HvrEscaped *escaped, guint8 *out)
{
	gboolean ends = escape->answer == HVR_ESCAPE_TEXT_ENDS;

	if (escape->answer == HVR_ESCAPE_SEQUENCE)
		ends = key >= '@' && key <= '~';
	else if (escape->answer == HVR_ESCAPE_TEXT)
		ends = key == BEL;
	if (ends)
		escape->answer = HVR_ESCAPE_OUTSIDE;
	else if (escape->answer == HVR_ESCAPE_TEXT && key == ESC)
		escape->answer = HVR_ESCAPE_TEXT_ENDS;
	put(escaped, out, key);
}

HvrEscaped hvr_escape_take(HvrEscape *escape, const guint8 *keys, gsize n, guint8 *out)
{
	HvrEscaped escaped = { .action = HVR_ESCAPE_NONE };

	while (escaped.n_taken < n && escaped.action == HVR_ESCAPE_NONE) {
		guint8 key = keys[escaped.n_taken++];

		if (escape->answer == HVR_ESCAPE_OUTSIDE)
			take_key(escape, key, &escaped, out);
		else if (escape->answer == HVR_ESCAPE_BEGUN)
			take_begun(escape, key, &escaped, out);
		else
			take_answer(escape, key, &escaped, out);
	}
	return escaped;
}
