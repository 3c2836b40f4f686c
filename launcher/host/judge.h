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
 * The questions that decide whether a VM can have its cards, one function each, for the plan that
 * `run` makes and for `check`, so that the two never disagree. All are pure. A "no" is an error
 * with a hint.
 */

/* There is such a QEMU. */
gboolean hvr_judge_qemu(const HvrProfile *profile, const HvrFacts *facts, GError **error);
/* The VM's user can use the profile's files. */
gboolean hvr_judge_files(const HvrParts *parts, GError **error);
/* What the VM needs beside its cards can be made. */
gboolean hvr_judge_parts(const HvrParts *parts, GError **error);
/* KVM works, or the profile does not insist on it. */
gboolean hvr_judge_kvm(const HvrProfile *profile, const HvrFacts *facts, GError **error);
/* The driver vfio-pci is there, or can be loaded. */
gboolean hvr_judge_vfio_pci(const HvrFacts *facts, GError **error);
/* A VM with a card, or with [memory] locked, locks all of its memory: it may. */
gboolean hvr_judge_memlock(const HvrProfile *profile, const HvrFacts *facts, GError **error);

/* @function has an IOMMU group that protects. */
gboolean hvr_judge_iommu(const HvrFacts *facts, const HvrPciFunction *function, GError **error);
/* QEMU can name it: it takes no PCI domain of more than 16 bits, as VMD makes them. */
gboolean hvr_judge_domain(const HvrPciFunction *function, GError **error);
/* It answers, and is what it was. */
gboolean hvr_judge_alive(const HvrPlanView *view, const HvrPciFunction *function, GError **error);
/* The host needs none of @companions, or the profile says what to do with them. */
gboolean hvr_judge_group(const HvrClaimedCard *card, const GPtrArray *companions, GError **error);
/* A plain user can use it as it is, since there is nothing that they could change. */
gboolean hvr_judge_prepared(const HvrFacts *facts, const HvrPlanView *view,
			    const HvrPciFunction *function, GError **error);

/* The endpoints of @card's group that no section of the profile names.
 * [transfer container] array of HvrPciFunction */
GPtrArray *hvr_judge_companions(const HvrInventory *inventory, const HvrClaim *claim,
				const HvrClaimedCard *card) G_GNUC_WARN_UNUSED_RESULT;

/* The methods to leave on a function: the profile's word, else the quirk table's; NULL: as is. */
const char *hvr_judge_reset_policy(const HvrProfileDevice *device, const HvrPciFunction *function);
