/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/setup/changes.h"
#include "vfio/inventory.h"

/* What a summary is of. Nothing is owned. */
typedef struct {
	const GPtrArray *changes; /* of HvrSetupChange */
	const HvrSetupSystem *system;
	const GPtrArray *cards; /* of HvrSetupCard */
	const HvrInventory
		*inventory; /* of this host; NULL: the cards are not here, or not known */
	const char *target; /* as named; NULL: this host */
	const char *left;   /* HvrSetupPlan's */
	gboolean undo;
} HvrSetupSummary;

/**
 * hvr_setup_summary - what of the system will be another, in words: what a person is to know who is
 * asked whether to go ahead. A line for each part that has a change, what it means for the cards,
 * and how it is taken back. Harmless text. Pure. [transfer full]
 */
char *hvr_setup_summary(const HvrSetupSummary *summary) G_GNUC_WARN_UNUSED_RESULT;
