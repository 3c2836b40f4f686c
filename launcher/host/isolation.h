/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "vfio/inventory.h"

/* What isolates a card, and what only looks as if it did. */

/**
 * hvr_isolation_reserved - memory that the firmware keeps for a member of the group (Intel's RMRR,
 * AMD's unity map): "0xe8000-0xe8fff". The kernel maps it for the device whatever happens, and
 * refuses to give such a group away: device_is_rmrr_locked() in Linux's drivers/iommu/intel/,
 * "requested this device have a 1:1 IOMMU mapping" of any IOMMU since 6.6. Regions that it may let
 * go of ("direct-relaxable": USB, graphics) are not meant.
 * Returns: (transfer full): the first one; NULL: none, or one that this kernel does not mind
 */
char *hvr_isolation_reserved(const HvrHost *host, int group) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_isolation_pretended - the kernel's argument pcie_acs_override=..., which has a patched kernel
 * (Proxmox, Zen, ...) take groups apart that the hardware does not isolate; others ignore it.
 * Returns: (transfer full): the whole word, or NULL
 */
char *hvr_isolation_pretended(const HvrHost *host) G_GNUC_WARN_UNUSED_RESULT;

/* What that means. */
#define HVR_ISOLATION_WARNING                                                                      \
	"where this kernel heeds it, groups are smaller than what the hardware isolates, and a "   \
	"guest may reach other devices behind the same bridges"

/* Is @bridge on the way from the root to @function? By their stable paths. */
gboolean hvr_isolation_is_above(const HvrPciFunction *bridge, const HvrPciFunction *function);

/**
 * hvr_isolation_culprit - the bridge in @function's group behind which @function and @other both
 * are, and which so keeps them together: all behind a bridge that lacks ACS is one group
 * (pci_device_group() in Linux's drivers/iommu/iommu.c).
 * Returns: (transfer none): the lowest one, or NULL where none is above both
 */
const HvrPciFunction *hvr_isolation_culprit(const HvrInventory *inventory,
					    const HvrPciFunction *function,
					    const HvrPciFunction *other);
