/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * Termination signals (INT, TERM, HUP, QUIT) as data. They are blocked from the program's start on
 * and read from a signalfd(2): no handler runs, and no step is cut in two.
 */

/* Blocks them and opens the descriptor: main() does so first of all, and a command again when it
 * has something to put right after all, after hvr_interrupt_default(). What was there stays. */
void hvr_interrupt_init(void);

/* The signalfd, for a main loop; -1 before hvr_interrupt_init(). */
int hvr_interrupt_fd(void);

/* Takes the next pending signal off the descriptor: its number, or 0. Never waits. */
int hvr_interrupt_take(void);

/**
 * hvr_interrupt_check - between two steps: has somebody asked us to stop?
 * Errors: HVR_LAUNCH_ERROR_BUSY "interrupted by ...". From then on hvr_interrupt_pending() tells
 * the signal, which the exit status is made of.
 */
gboolean hvr_interrupt_check(GError **error);

/* The same, also of a signal that was noted before: whoever took it may have had only a question
 * answered with "unknown", and went on. */
gboolean hvr_interrupt_check_all(GError **error);

/* The signal that ended the work, or 0. */
int hvr_interrupt_pending(void);
/* Notes that @signal_number ended the work. */
void hvr_interrupt_note(int signal_number);

/* Lets the signals end this process as they do by default, for a command that only waits for
 * another process and has nothing to put right. hvr_interrupt_init() takes it back. */
void hvr_interrupt_default(void);
