/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/check/check.h"
#include "launcher/host/claim.h"
#include "launcher/host/facts.h"
#include "launcher/host/judge.h"
#include "launcher/parts/parts.h"

/* For those who add lines to a check: what they all look at, and how a line is added. */

typedef struct {
	HvrContext *context;
	HvrProfile *profile; /* the user's, or one made up for all accelerators */
	gboolean named;	     /* it is the user's */
	gboolean one_card;   /* it is about a card that the user has named */
	HvrParts *parts;
	HvrFacts *facts;	 /* NULL: the VM's user does not exist */
	HvrInventory *inventory; /* NULL: no PCI bus */
	HvrClaim *claim;	 /* the cards, without locks and whether free or not */
	HvrPlanView *view;
	const char *subject; /* whom the lines that are added now are about */
	GPtrArray *results;  /* of HvrCheckResult */
} HvrCheck;

#define HVR_CHECK_HOST "host"
/* Where a verdict has no hint of its own. */
#define HVR_CHECK_SEE_RUN "see what 'hailo-vm-run run PROFILE --dry-run' says"

/* Does the profile ask for any? What only a card depends on is not asked of another. */
gboolean hvr_check_wants_cards(const HvrCheck *check);

void hvr_check_pass(HvrCheck *check, const char *id, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* With a line of `check` not FAIL: for that there is only what `run` would fail for, too. */
void hvr_check_say(HvrCheck *check, HvrCheckStatus status, const char *id, const char *fix,
		   const char *format, ...) G_GNUC_PRINTF(5, 6);
/**
 * hvr_check_ask - ask the question of this id in hvr_judgements, about @card where it is about one.
 * A "no" is a line with FAIL. Returns: the answer: for a "yes" the caller adds what is to be told.
 */
gboolean hvr_check_ask(HvrCheck *check, const char *id, const HvrClaimedCard *card);
/* FAIL, for what a function has said that `run` calls, too: the message is what was seen, the hint,
 * or else @fix, what to do. Takes @error. */
void hvr_check_refuse(HvrCheck *check, const char *id, GError *error, const char *fix);
/* What is judged there, of as much as is known by now. Borrows all of @check. */
HvrPlanInput hvr_check_input(const HvrCheck *check);
/* WARN, of what another function says: its hint, or else @fix. Takes @error. */
void hvr_check_warn(HvrCheck *check, const char *id, GError *error, const char *fix);
/* UNKNOWN, for what another function says. Takes @error. */
void hvr_check_unknown(HvrCheck *check, const char *id, GError *error, const char *fix);

/* One file each; every one adds at least one line, or has nothing to ask on this host. */
void hvr_check_machine(HvrCheck *check);  /* processor, KVM, nesting, memory */
void hvr_check_iommu(HvrCheck *check);	  /* IOMMU, interrupt remapping, isolation */
void hvr_check_vfio(HvrCheck *check);	  /* modules, container node */
void hvr_check_security(HvrCheck *check); /* user, lockdown, Secure Boot, SELinux, AppArmor */
void hvr_check_qemu(HvrCheck *check);	  /* program, version, vfio-pci, sandbox */
void hvr_check_cards(HvrCheck *check);	  /* every card of the claim */
void hvr_check_setup(HvrCheck *check);	  /* what is made to last over boots */
void hvr_check_profile(HvrCheck *check);  /* memory lock, files */
void hvr_check_decision(HvrCheck *check); /* what `run` itself would say */
