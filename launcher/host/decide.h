/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/claim.h"
#include "launcher/host/facts.h"
#include "launcher/host/plan.h"
#include "launcher/parts/parts.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * HvrDecision - everything that is known and decided before the host is changed.
 * Each part refers to the ones before it.
 */
typedef struct {
	HvrFacts *facts;
	HvrParts *parts; /* NULL for a VM that runs */
	HvrInventory *inventory;
	HvrClaim *claim;
	HvrPlanView *view;
	HvrPlan *plan;
	/* whose fault it was that hvr_decide() failed, of @inventory; NULL: no card's, or it did
	 * not */
	const HvrPciFunction *blamed;
	GPtrArray *tried; /* of HvrTriedCard: what pick = free does not choose again; NULL: none */
} HvrDecision;

/* For whom, and how. */
typedef struct {
	const GPtrArray *devices; /* of HvrProfileDevice: all of the profile's, or some */
	const char *vm;		  /* NULL: for nobody yet */
	gboolean look;		  /* only look: take no lock, as --dry-run does */
	int wait_s;		  /* see hvr_claim_take() */
	gboolean running;	  /* for a VM that has all but these devices already */
} HvrDecideFor;

/**
 * hvr_decide_cards - the beginning of hvr_decide() alone: choose and lock the cards. Looks at what
 * the kernel shows without waiting for a driver.
 * Errors: of hvr_inventory_read() where there are devices, of hvr_claim_take().
 */
gboolean hvr_decide_cards(const HvrContext *context, const HvrDecideFor *whom,
			  HvrDecision *decision, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_decide - gather facts, choose and lock the cards, make the plan, and see that nobody uses
 * what the plan takes from its drivers. Changes nothing but the locks. A decision that has its
 * cards, or its facts and parts, keeps them.
 *
 * Where one that pick = free chose cannot be given away, its lock is given up and the next one is
 * chosen, up to the last; the plan's notes say so.
 * Errors: of hvr_facts_gather(), hvr_parts_gather(), hvr_claim_take(), hvr_plan_make(),
 * hvr_inuse_check().
 */
gboolean hvr_decide(const HvrContext *context, const HvrProfile *profile, const HvrDecideFor *whom,
		    HvrDecision *decision, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_decide_next - a card failed that was decided on: may another one be tried in its place?
 * @failed: it, or a member of its group
 * @error: (inout): why it failed; it is taken where the answer is yes
 * Returns: TRUE: pick = free chose it; the locks are given up, and hvr_decide() has to be called
 * again, which chooses another one. FALSE: it is the end, with all as it is.
 */
gboolean hvr_decide_next(HvrDecision *decision, const HvrPciFunction *failed, GError **error);
void hvr_decision_clear(HvrDecision *decision);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrDecision, hvr_decision_clear)
