/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/offer.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "launcher/runtime/lock.h"
#include "vfio/inventory.h"

/* One card that the profile asks for, found. */
typedef struct {
	const HvrProfileDevice *device;
	const HvrPciFunction *function;
} HvrClaimedCard;

/**
 * HvrClaim - the cards of one VM, and the locks of their IOMMU groups.
 */
typedef struct {
	GPtrArray *cards;  /* of HvrClaimedCard, in the profile's order */
	GPtrArray *locks;  /* of HvrLock, one per group; empty for a claim that only looks */
	GPtrArray *passed; /* of char *: each card that would not do and was passed over, and why */
} HvrClaim;

/* A card that was chosen by pick = free and failed: another one is tried. */
typedef struct {
	HvrPciAddress address;
	GError *why;
} HvrTriedCard;
/* An empty array of HvrTriedCard, which it owns. [transfer full] */
GPtrArray *hvr_tried_new(void) G_GNUC_WARN_UNUSED_RESULT;
/* @why: (transfer full) */
void hvr_tried_add(GPtrArray *tried, const HvrPciFunction *function, GError *why);

/* Whose cards are chosen. */
typedef struct {
	const GPtrArray *devices; /* of HvrProfileDevice */
	const char *vm;		  /* that they are for; NULL: for nobody yet */
	int wait_s;		  /* how long to wait for cards that are busy */
	const GPtrArray *tried;	  /* of HvrTriedCard, not to be tried again; NULL: none */
} HvrClaimFor;

/* Waiting for busy cards. */
#define HVR_CLAIM_NO_WAIT 0
#define HVR_CLAIM_FOREVER (-1)

/**
 * hvr_claim_take - choose the cards and lock their groups, all or none.
 *
 * Only what this process is offered counts (offer.h). `pick = free` takes the first card whose
 * group nobody has and that answers; one that does not answer is passed over, and so is one that
 * was tried. A group that somebody outside of this program has open, or a card that a process is
 * using, counts as busy too. A section that few cards would do for chooses before one that more
 * would do for.
 * Errors: HVR_LAUNCH_ERROR_BUSY naming every holder; HVR_LAUNCH_ERROR_UNAVAILABLE at once for more
 * sections than cards, and where no card is left to wait for (_PERMISSION where that is all that
 * they lack); what hvr_offer_look() and hvr_select_offered() say.
 */
HvrClaim *hvr_claim_take(const HvrContext *context, const HvrClaimFor *whom,
			 const HvrInventory *inventory, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_claim_look_again - with the locks held, what is seen of the cards holds; what was seen before
 * may be from the middle of another VM. Has the claim refer to @inventory, which was read since.
 * Errors: HVR_LAUNCH_ERROR_BUSY when a card is no longer the one that was chosen.
 */
gboolean hvr_claim_look_again(HvrClaim *claim, const HvrInventory *inventory,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_claim_look - what hvr_claim_take() would choose now. Takes no lock, changes nothing.
 */
HvrClaim *hvr_claim_look(const HvrContext *context, const HvrClaimFor *whom,
			 const HvrInventory *inventory, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A section that gets no card; owns @error. */
typedef void (*HvrClaimRefused)(const HvrProfileDevice *device, GError *error, gpointer data);

/* How cards are chosen by who only judges them. */
typedef struct {
	const HvrOffer *offer; /* what counts; NULL: all cards */
	GHashTable *avoid;     /* of const HvrPciFunction *: last of all; NULL: none */
	/* Called for each section that no card would do for: errors of hvr_select_offered(), and
	 * HVR_LAUNCH_ERROR_UNAVAILABLE where other sections take them all. */
	HvrClaimRefused refused;
	gpointer data;
} HvrClaimHow;

/**
 * hvr_claim_choose - for who judges cards that may be busy: what hvr_claim_take() would try.
 *
 * Of the cards that would do for a section, the first that is free and answers, else the first.
 * Takes no lock, changes nothing.
 */
HvrClaim *hvr_claim_choose(const HvrContext *context, const GPtrArray *devices,
			   const HvrInventory *inventory,
			   const HvrClaimHow *how) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none): the card for whose sake @function was taken: it, or one of its group; or NULL.
 */
const HvrClaimedCard *hvr_claim_card_of(const HvrClaim *claim, const HvrPciFunction *function);

/* Is @function one of the claim's cards? */
gboolean hvr_claim_has(const HvrClaim *claim, const HvrPciFunction *function);

/* Would hvr_claim_take() get this function now? Takes no lock. Errors: as of hvr_claim_take(). */
gboolean hvr_claim_is_free(const HvrContext *context, const HvrPciFunction *function,
			   GError **error);

/* Gives the locks up (hvr_lock_release). NULL is accepted. */
void hvr_claim_free(HvrClaim *claim);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrClaim, hvr_claim_free)
