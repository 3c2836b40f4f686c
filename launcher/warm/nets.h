/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"

/**
 * hvr_warm_nets_find - the first net that others are on (bridge, tap) on which a guest that goes on
 * has another MAC address than it was saved with. Until it is told so, two guests of one state have
 * one address there.
 * @macs: of char *: what the guest was saved with, in the order of the profile's nets
 * Returns: (transfer none): NULL: there is none
 */
const HvrProfileNet *hvr_warm_nets_find(const HvrProfile *profile,
					const GPtrArray *macs) G_GNUC_WARN_UNUSED_RESULT;
