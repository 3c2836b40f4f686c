/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrWorker - work that may block for minutes, in a process of its own, while the main loop goes
 * on.
 *
 * The process is a copy of this one, as it was when the work began: of what it does, only what it
 * does to files, to the kernel and to descriptors that both have is ever seen here. It shares our
 * locks (flock(2)), reads termination signals as we do, and is killed when we end, whatever ends
 * us: nobody is at work for an owner that is gone. A child of its own may outlive it in the kernel.
 */
typedef struct HvrWorker HvrWorker;

/* Done in the worker. */
typedef gboolean (*HvrWork)(gpointer data, GError **error);

/**
 * HvrWorkDone - the work's end, told here, once.
 * @error: borrowed. NULL: it returned TRUE. Else what it returned, as it was; or
 *	   HVR_LAUNCH_ERROR_INTERNAL: its process was ended, anywhere in the work; or
 *	   HVR_LAUNCH_ERROR_UNAVAILABLE: there is no process to be had, and nothing was done.
 */
typedef void (*HvrWorkDone)(const GError *error, gpointer data);

/**
 * hvr_worker_start - begin.
 * @what: (transfer full): what is done, for the errors of the last two kinds
 * @done: called by the default main context, never from inside this function
 * @data: for both; must live until @done was called
 * Returns: (transfer none): valid until @done is called
 */
HvrWorker *hvr_worker_start(char *what, HvrWork work, HvrWorkDone done, gpointer data);

/* Asks it to stop, where the work asks for that: see hvr_interrupt_check(). */
void hvr_worker_interrupt(const HvrWorker *worker);
