/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/plan.h"
#include "launcher/session/prepare.h"

/**
 * HvrLateCards - the cards of a guest that was saved without them. A worker prepares all of them
 * while QEMU reads the guest; when the guest goes on they are plugged in.
 */
typedef struct {
	HvrHotplug *hotplug;
	HvrDecision *decision; /* borrowed, as @hotplug */
	HvrPrepare prepare;
	gboolean preparing;
	gboolean wanted; /* the guest goes on */
	gboolean over;
	guint next;	 /* number of the card in the claim */
	GError *failure; /* why they could not be prepared */
	HvrSessionDone done;
	gpointer user_data;
} HvrLateCards;

/**
 * hvr_late_cards_check - could all of them be plugged in? A guest that was saved has the windows
 * that its firmware made for ports that were empty.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: one needs more
 */
gboolean hvr_late_cards_check(const HvrProfile *profile, const HvrPlan *plan, GError **error);

/**
 * hvr_late_cards_prepare - carry out the plan, for this session's VM, beside the main loop. Where a
 * card of pick = free cannot be prepared another one is: see prepare.h.
 * @late: its memory must outlive the session
 * @decision: of all its cards; their groups' locks are the session's and QEMU's
 */
void hvr_late_cards_prepare(HvrLateCards *late, HvrHotplug *hotplug, HvrDecision *decision);

/**
 * hvr_late_cards_plug - plug all of them in, when they are prepared, in the profile's order.
 * @done: told once, perhaps before this returns: NULL when all are in the VM; else why one is not:
 *	  of hvr_prepare_begin() (all are with the host again), of hvr_plug(). Those before it are
 *	  in the VM.
 */
void hvr_late_cards_plug(HvrLateCards *late, HvrSessionDone done, gpointer user_data);

/* Nobody is told any more. A worker that is under way goes on: see hvr_hotplug_finish(). */
void hvr_late_cards_end(HvrLateCards *late);
