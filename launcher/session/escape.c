/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/escape.h"

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

HvrEscaped hvr_escape_take(HvrEscape *escape, const guint8 *keys, gsize n, guint8 *out)
{
	HvrEscaped escaped = { .action = HVR_ESCAPE_NONE };

	while (escaped.n_taken < n && escaped.action == HVR_ESCAPE_NONE) {
		guint8 key = keys[escaped.n_taken++];
		gboolean is_behind = escape->waiting;

		escape->waiting = !is_behind && key == HVR_ESCAPE_KEY;
		if (escape->waiting)
			continue;
		if (is_behind)
			escaped.action = meaning(key);
		if (escaped.action != HVR_ESCAPE_NONE)
			continue;
		if (is_behind && key != HVR_ESCAPE_KEY)
			out[escaped.n_out++] = HVR_ESCAPE_KEY;
		out[escaped.n_out++] = key;
	}
	return escaped;
}
