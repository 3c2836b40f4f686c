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
 */
typedef struct {
	gboolean waiting; /* Ctrl-] has come, what is behind it not yet */
} HvrEscape;

/* What came of some keys. */
typedef struct {
	gsize n_taken; /* how many of them this is about: all, or those up to and with .action's */
	gsize n_out; /* bytes for the guest, one more than .n_taken at most: Ctrl-] may have waited
		      */
	HvrEscapeAction action;
} HvrEscaped;

/* Pure. @out: room for @n + 1 bytes, which are not those of @keys */
HvrEscaped hvr_escape_take(HvrEscape *escape, const guint8 *keys, gsize n, guint8 *out);
