/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/claim.h"
#include "launcher/runtime/context.h"
#include "launcher/runtime/journal.h"
#include "vfio/bars.h"
#include "vfio/guard.h"
#include "vfio/inventory.h"
#include "vfio/reset.h"
#include "vfio/state.h"

/* What the plan's functions are like now: read by hvr_plan_look(), judged by hvr_plan_make(). */
typedef struct {
	GHashTable *states; /* const HvrPciFunction * -> HvrPciState */
	GHashTable *dead;   /* const HvrPciFunction * -> GError, why it cannot be taken */
	GHashTable *usable; /* const HvrPciFunction *: the caller may open the node of its access */
	/* const HvrPciFunction * -> GError: what takes it from its driver cannot be written */
	GHashTable *unwritable;
	/* const HvrPciFunction * -> char *: hvr_reset_incapable(), where that was asked */
	GHashTable *incapable;
	GHashTable *virtuals; /* const HvrPciFunction * -> guint: virtual functions that it has */
	/* const HvrPciFunction * -> char *: what the host cannot do without, of what shares a group
	 * with a card and is on a driver of the host: "a disk in use (/)" */
	GHashTable *vital;
	GHashTable *bars;     /* const HvrPciFunction * -> HvrBars */
	gboolean wakes;	      /* it was looked whether all answer, by reading config space */
	gboolean routes_seen; /* for that, the routes, too: a captured tree may lack them */
	GHashTable *reserved; /* const HvrPciFunction * -> char *: hvr_isolation_reserved() */
	GPtrArray *journal;   /* of HvrJournalEntry */
	HvrGuard *guard;      /* what it keeps from resets */
} HvrPlanView;

/**
 * hvr_plan_look - read the state of the claimed cards, and of what else may have to be taken of
 * their groups: endpoints, and bridges whose driver keeps the group from being viable.
 * Changes nothing. A function that vanishes meanwhile is dead.
 */
HvrPlanView *hvr_plan_look(const HvrContext *context, const HvrClaim *claim,
			   const HvrInventory *inventory) G_GNUC_WARN_UNUSED_RESULT;
/* The same for who only lists cards: wakes none. Of what is in D3cold it is not known then whether
 * it answers, and it counts as if it did. */
HvrPlanView *hvr_plan_look_asleep(const HvrContext *context, const HvrClaim *claim,
				  const HvrInventory *inventory) G_GNUC_WARN_UNUSED_RESULT;
void hvr_plan_view_free(HvrPlanView *view);

/* What is to be judged of the resets of @function, one of those that were looked at.
 * @reset: (nullable): the methods that a VM leaves it, where the kernel has the attribute
 * Borrows from all of them. */
HvrResetFacts hvr_plan_view_reset_facts(const HvrPlanView *view, const HvrInventory *inventory,
					const HvrPciFunction *function, const char *reset);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrPlanView, hvr_plan_view_free)
