/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * hvr_taps_check - are the bridges and interfaces of the profile's nets there, and may we use them?
 * A tap that was made for somebody else than the VM's user or the caller is not ours, though root
 * could open it. Root itself may use any bridge, whoever called sudo those of context->bridge_conf.
 * Changes nothing.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE, or _PERMISSION for another's tap, a bridge that is not for
 * users, and one without root; _BUSY for a tap that somebody has open
 */
gboolean hvr_taps_check(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
			GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_tap_open - the descriptor that QEMU gets for a net on the host's network.
 * HVR_NET_BRIDGE: a new interface "hvr0", "hvr1", ... is made, up, in the bridge, with its MTU; it
 * vanishes when the last descriptor is closed. HVR_NET_TAP: one that exists.
 * Returns: a descriptor that the caller closes, or -1 with HVR_LAUNCH_ERROR_UNAVAILABLE, _BUSY or
 * _PERMISSION; then no interface is left.
 */
int hvr_tap_open(const HvrHost *host, const HvrProfileNet *net,
		 GError **error) G_GNUC_WARN_UNUSED_RESULT;
