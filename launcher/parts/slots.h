/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* The slots of the machine's root bus, where each device but a card takes one. */

/* How many devices the VM has there, beside the ports. */
guint hvr_slots_needed(const HvrProfile *profile);

/**
 * hvr_slots_check_cards - have the VM's devices, and the ports of @n_cards and of spare cards, room
 * on the machine? Pure. QEMU's own word for too many is "PCI: no slot/function available".
 * Errors: HVR_LAUNCH_ERROR_PROFILE
 */
gboolean hvr_slots_check_cards(const HvrProfile *profile, guint n_cards,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a card for each [device] section. Their groups may bring more: see above. */
gboolean hvr_slots_check(const HvrContext *context, const HvrProfile *profile,
			 const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
