/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/hotplug.h"

/* The cards of a guest that was saved without them: see below. */
typedef struct {
	HvrHotplug *hotplug;
	guint next; /* number of the [device] in the profile */
	HvrSessionDone done;
	gpointer user_data;
} HvrLateCards;

/**
 * hvr_late_cards_plug - plug in each [device] of the profile, one after the other, in its order.
 * @late: its memory must outlive the session
 * @done: told once, perhaps before this returns: NULL when all are in the VM; else why one is not:
 *	  of hvr_plug(). Those before it are in the VM.
 */
void hvr_late_cards_plug(HvrLateCards *late, HvrHotplug *hotplug, HvrSessionDone done,
			 gpointer user_data);
