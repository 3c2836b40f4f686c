/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"

/**
 * hvr_vendor_data - what cloud-init does for the keys user, autologin and agent, as its
 * vendor-data: of whatever user-data says, too, user-data's word counts. Pure. Returns: (transfer
 * full): NULL: none of them is given
 */
char *hvr_vendor_data(const HvrProfileSeed *seed) G_GNUC_WARN_UNUSED_RESULT;
