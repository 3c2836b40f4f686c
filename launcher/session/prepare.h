/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/decide.h"
#include "launcher/session/hotplug.h"

typedef struct HvrPrepare HvrPrepare;

/**
 * HvrPrepare - cards of a VM that runs are chosen, locked, and prepared by a worker, beside the
 * main loop. Where pick = free chose one that cannot be had, its lock is given up and another one
 * is taken, up to the last, as at a start (hvr_decide_next()).
 */
struct HvrPrepare {
	/* the caller's: */
	HvrHotplug *hotplug;
	const GPtrArray *devices; /* of const HvrProfileDevice */
	/* (borrowed): all 0, or that of hvr_decide() for these devices, whose locks are the
	 * session's; that of the VM's own start, perhaps */
	HvrDecision *decision;
	/**
	 * Is there room in the VM for what was chosen? Before any of it moves.
	 * @out_failed: the one for which there is none
	 */
	gboolean (*fits)(HvrPrepare *prepare, const HvrPciFunction **out_failed, GError **error);
	HvrSessionDone done; /* see hvr_prepare_begin() */
	gpointer user_data;
	/* ours: */
	gboolean anew; /* out: the decision is not the one that it began with */
	HvrWorker *worker;
	int failed; /* a file in memory, by which the worker tells which card it was */
};

/**
 * hvr_prepare_begin - choose, unless that is done, and start the worker.
 * @prepare: its memory must outlive the session
 * Returns: FALSE: none can be had; nobody is told any more
 *
 * Then done is told once, later. NULL: what the claim has is prepared and in the journal, and its
 * locks are the session's. HVR_LAUNCH_ERROR_INTERNAL: the worker was ended; what it has left the
 * journal says, and the locks are the session's. Any other: all is with the host, and the locks
 * that were taken for it are given up; those that the session had before, it has.
 * Errors: of hvr_decide(), hvr_execute(), fits
 */
gboolean hvr_prepare_begin(HvrPrepare *prepare, GError **error) G_GNUC_WARN_UNUSED_RESULT;
