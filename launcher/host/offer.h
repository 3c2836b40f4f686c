/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/holds.h"
#include "vfio/inventory.h"

/**
 * HvrOffer - which of the host's cards this process may have at all. Whoever runs it may have been
 * given some of them only: by a list (HvrContext's cards), or by the device cgroup of a job, a
 * service or a container; and an administrator may hold some.
 *
 * The list is no protection: who sets a variable can set another. The cgroup is one: the kernel
 * refuses QEMU the node whatever this program says.
 */
typedef struct HvrOffer HvrOffer;

/**
 * hvr_offer_look - read the list and the holds. Changes nothing and opens no node.
 * @inventory: must outlive the offer
 * Errors: HVR_LAUNCH_ERROR_USAGE or _UNAVAILABLE, with the variable's name, for a word of the list
 * that names no card; of hvr_holds_read()
 */
HvrOffer *hvr_offer_look(const HvrContext *context, const HvrInventory *inventory,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_offer_free(HvrOffer *offer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrOffer, hvr_offer_free)

/**
 * hvr_offer_has - may this process have @function?
 *
 * The cgroup is asked by access(2), which is refused (EPERM) where open(2) would be, and disturbs
 * nobody who has the node (devcgroup_inode_permission() in the kernel's fs/namei.c): of the node
 * that VFIO has for the card. While there is none, nothing can be known of it, as the kernel has
 * yet to number it. Then the node of the host's driver counts where the cgroup tells cards apart by
 * those: it refuses this one and grants another one's. (A service that is given VFIO alone may open
 * none of them.)
 *
 * @offer: (nullable): NULL: all are offered
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: not in the list, or held; _PERMISSION: the cgroup. The
 * message says why without the function's name, as in "not among HAILO_VM_CARDS"
 */
gboolean hvr_offer_has(const HvrOffer *offer, const HvrPciFunction *function, GError **error);
