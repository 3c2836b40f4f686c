/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/claim.h"
#include "launcher/host/facts.h"
#include "launcher/host/plan-view.h"
#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "vfio/inventory.h"

/*
 * The questions that decide whether a VM can have its cards, in one list. `run`, `plug`, `prepare`
 * and --dry-run ask all of them for their plan and end with the first "no"; `check` asks the same
 * ones, each for a line of its own, and has no other way to a FAIL. All are pure: whatever they are
 * about has been looked at before.
 */

/* All that is judged, and that a plan is made from. */
typedef struct {
	const HvrProfile *profile;
	const HvrFacts *facts;
	const HvrParts *parts; /* NULL for a VM that runs, and so has them */
	const HvrInventory *inventory;
	const HvrClaim *claim;
	const HvrPlanView *view;
	gboolean made_up; /* the profile is not the user's: no section of it is named */
} HvrPlanInput;

/* What a question is about, in the order in which they are asked. */
typedef enum {
	HVR_JUDGE_VM,	/* the host, and what the VM is beside its cards */
	HVR_JUDGE_CARD, /* one card: once for each */
	HVR_JUDGE_LAST, /* what helps nobody whose card is not to be had */
} HvrJudgeAbout;

/**
 * HvrJudgement - one question.
 * ask: FALSE with an error and a hint is "no". TRUE also where the question does not arise, as for
 *a profile without a card. @card: NULL but for HVR_JUDGE_CARD
 */
typedef struct {
	const char *id; /* of the line of `check` */
	HvrJudgeAbout about;
	gboolean (*ask)(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error);
} HvrJudgement;

/* All of them; ends with a NULL id. */
extern const HvrJudgement hvr_judgements[];

/* Asks the one of this id. */
gboolean hvr_judge(const char *id, const HvrPlanInput *input, const HvrClaimedCard *card,
		   GError **error);
/* Asks all about @about, up to the first "no". */
gboolean hvr_judge_all(HvrJudgeAbout about, const HvrPlanInput *input, const HvrClaimedCard *card,
		       GError **error);

/* The questions about one card, for the list: judge-card.c, judge-group.c, judge-guard.c,
 * judge-properties.c. */
gboolean hvr_judge_domain(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error);
gboolean hvr_judge_alive(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error);
gboolean hvr_judge_group(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error);
gboolean hvr_judge_reserved(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error);
gboolean hvr_judge_sriov(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error);
gboolean hvr_judge_writable(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error);
gboolean hvr_judge_node(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error);
gboolean hvr_judge_resets(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error);
gboolean hvr_judge_properties(const HvrPlanInput *input, const HvrClaimedCard *card,
			      GError **error);

/* Does module hailo-vm-run-guard keep bus resets from a function that QEMU gets? */
typedef enum {
	HVR_GUARDING_NONE,
	HVR_GUARDING_THERE, /* it is loaded, and does */
	HVR_GUARDING_COMES, /* it is loaded for this card, before anything else is done */
} HvrGuarding;

/* By the section's reset-guard, by the policy (hvr_judge_reset_policy()), and by whether the module
 * is there or could be loaded, which only root does. */
HvrGuarding hvr_judge_guarding(const HvrPlanInput *input, const HvrProfileDevice *device,
			       const HvrPciFunction *function);

/* The members of @card's group that no section of the profile names: endpoints, and bridges whose
 * driver keeps the group from being viable.
 * [transfer container] array of HvrPciFunction */
GPtrArray *hvr_judge_companions(const HvrInventory *inventory, const HvrClaim *claim,
				const HvrClaimedCard *card) G_GNUC_WARN_UNUSED_RESULT;
/* Of these those that the host has on a driver of its own: unless they are taken from it, the group
 * is not viable.
 * [transfer container] array of HvrPciFunction */
GPtrArray *hvr_judge_blockers(const HvrInventory *inventory, const HvrClaim *claim,
			      const HvrClaimedCard *card) G_GNUC_WARN_UNUSED_RESULT;
/* Does the VM get this companion of @card's, too? */
gboolean hvr_judge_is_passed(const HvrClaimedCard *card, const HvrPciFunction *companion);
/* Is it taken from the host at all? */
gboolean hvr_judge_is_taken(const HvrClaimedCard *card, const HvrPciFunction *companion);

/* A VM with a card, or with [memory] locked, locks all of its memory. */
gboolean hvr_judge_locks_memory(const HvrProfile *profile);

/**
 * hvr_judge_locked_memory - how much of it counts as locked, in bytes, with @n_cards functions.
 *
 * Behind an IOMMU of the guest's each card has an address space of its own, and VFIO a container
 * for each: all of the memory is mapped into every one until the guest's IOMMU is on, and Linux
 * counts it each time (vfio_lock_acct() in its drivers/vfio/vfio_iommu_type1.c).
 */
guint64 hvr_judge_locked_memory(const HvrProfile *profile, guint n_cards);

/* The methods to leave on a function: the profile's word, else the quirk table's; NULL: as is. */
const char *hvr_judge_reset_policy(const HvrProfileDevice *device, const HvrPciFunction *function);
