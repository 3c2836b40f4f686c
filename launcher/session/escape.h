/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* The key that what is ours begins with: Ctrl-]. */
#define HVR_ESCAPE_KEY 0x1d

/* What the key behind it asks for. */
typedef enum {
	HVR_ESCAPE_NONE,
	HVR_ESCAPE_QUIT,   /* q: the VM's end, now; of a console, its own */
	HVR_ESCAPE_LEAVE,  /* d: the VM goes on without the terminal */
	HVR_ESCAPE_STOP,   /* s: the guest powers down */
	HVR_ESCAPE_REBOOT, /* r */
	HVR_ESCAPE_HELP,   /* ? */
} HvrEscapeAction;

/**
 * HvrEscape - keys of a terminal, on their way to a guest: which are ours? All zero to begin with.
 *
 * Only what is typed is looked at, so a guest has no say in it. Ctrl-] waits for the key behind it,
 * however long that takes. Where that key has no meaning both are the guest's, so that nothing that
 * is typed gets lost; a second Ctrl-] is the guest's alone.
 *
 * A guest may ask the terminal something (where the cursor is: busybox's shell does at each
 * prompt), and the answer comes between keys. So what begins with Escape and '[', ']' or 'P' goes
 * to the guest and is no key behind Ctrl-], which waits on; arrows are among them.
 */
typedef struct {
	gboolean waiting; /* Ctrl-] has come, what is behind it not yet */
	enum {
		HVR_ESCAPE_OUTSIDE,
		HVR_ESCAPE_BEGUN,     /* Escape has come behind Ctrl-], and is held */
		HVR_ESCAPE_SEQUENCE,  /* behind Escape [, until its last byte */
		HVR_ESCAPE_TEXT,      /* behind Escape ] or P, until BEL or Escape */
		HVR_ESCAPE_TEXT_ENDS, /* behind that Escape */
	} answer;
} HvrEscape;

/* What came of some keys. */
typedef struct {
	gsize n_taken; /* how many of them this is about: all, or those up to and with .action's */
	gsize n_out;   /* bytes for the guest, HVR_ESCAPE_HELD more than .n_taken at most */
	HvrEscapeAction action;
} HvrEscaped;

/* How many keys may have waited for what is behind them: Ctrl-], and Escape. */
#define HVR_ESCAPE_HELD 2

/* Pure. @out: room for @n + HVR_ESCAPE_HELD bytes, which are not those of @keys */
HvrEscaped hvr_escape_take(HvrEscape *escape, const guint8 *keys, gsize n, guint8 *out);
