/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/*
 * What lasts longer than a second says how far it is, on standard error.
 *
 * At a terminal that is one line at the bottom, painted anew once a second and gone before anything
 * else is said: "stop lab: power button, 8 of 25 s; then quit". It is cut to the terminal's width,
 * has no colour, and what others have said in it is made harmless (text.h). Off a terminal, with
 * TERM=dumb, and where several processes speak at once, it is one message for each stage that
 * lasts so long. What is over within a second says nothing.
 *
 * One thing lasts at a time, so there is one of these in a process. What came of it whoever began
 * it says in a message of its own.
 */

/* Something begins. @format: what: "stop lab". What was under way is over. */
void hvr_progress_begin(const char *format, ...) G_GNUC_PRINTF(1, 2);

typedef struct {
	const char *text; /* "power button" */
	guint limit_ms;	  /* how long it may last; 0: nobody knows */
	const char *then; /* what comes behind it: "then quit"; NULL: its end */
} HvrProgressStage;

/* It is at this stage now, which begins here. Does nothing where nothing was begun. */
void hvr_progress_stage(const HvrProgressStage *stage);

/* What is beside it, at a terminal alone: the last line of a serial port. Anything; NULL: nothing
 */
void hvr_progress_detail(const char *text);

/* It is over: nothing of it is on the screen. Does nothing where nothing was begun. */
void hvr_progress_end(void);

/**
 * hvr_progress_turn - for who waits without a main loop, which does this by itself: paint what is
 * due.
 * Returns: when it is due again, as of g_get_monotonic_time(); 0: nothing lasts
 */
gint64 hvr_progress_turn(void);

/* Other processes speak here, too: no live line from now on. */
void hvr_progress_plain(void);
