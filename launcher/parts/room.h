/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * hvr_room_check_runtime - has the runtime folder room for what a VM with @n_cards cards needs
 * there: journal, locks, sockets, its record? Where it is not made yet, its parent is asked.
 * Changes nothing.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE
 */
gboolean hvr_room_check_runtime(const HvrContext *context, guint n_cards,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_room_check - the same for a profile; and can QEMU make the throw-away file of each disk with
 * snapshot = yes? A file without a name is made for it, as the VM's user, and is gone at once.
 * Errors: as above; HVR_LAUNCH_ERROR_PERMISSION: that user may not write there
 */
gboolean hvr_room_check(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
			GError **error) G_GNUC_WARN_UNUSED_RESULT;
