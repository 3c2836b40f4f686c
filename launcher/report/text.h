/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/*
 * Text of others - of a guest, QEMU, the kernel, another user's process, a tree of --root - on its
 * way to a terminal, which would obey what is in it. What is not harmless is shown instead: a byte
 * as \x1b, a character as \u202e or \U000e0041. Text that is harmless stays as it is, ASCII always;
 * a backslash is one, so what is shown cannot be turned back.
 */

/**
 * hvr_text_is_harmless - may a terminal, and a line, have this character?
 * Not: C0 but the tab, DEL, C1, what reorders text or is invisible (Unicode's Cf), line and
 * paragraph separators. A newline is not.
 */
gboolean hvr_text_is_harmless(gunichar c);

typedef enum {
	HVR_TEXT_ONE_LINE = 0,
	HVR_TEXT_LINES = 1 << 0, /* a newline stays, and a carriage return in front of it */
	HVR_TEXT_MORE = 1 << 1,	 /* more will come: what may be the begin of a character waits */
} HvrTextFlags;

/* Appends @bytes, which may be anything, made harmless. Returns: how many of them; all but with
 * HVR_TEXT_MORE, which leaves at most three. */
gsize hvr_text_append(GString *out, const char *bytes, gsize length, HvrTextFlags flags);

/* @text as one harmless line. [transfer full] */
char *hvr_text_safe(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Lines on standard output, each harmless. */
void hvr_text_print(const char *text);

/* A time as people say it: "0.4 s", "8 s", "2 min 5 s". [transfer full] */
char *hvr_text_time(guint64 ms) G_GNUC_WARN_UNUSED_RESULT;

/* Appends @text, which is harmless, from column @indent on, in as many lines of @width columns as
 * it takes, broken between words. @width: 0: one line */
void hvr_text_append_wrapped(GString *out, const char *text, guint indent, guint width);
