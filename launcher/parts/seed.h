/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* Does the profile say anything to cloud-init? */
gboolean hvr_seed_is_wanted(const HvrProfile *profile);

/**
 * hvr_seed_check - could the image for cloud-init be made? Changes nothing.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: no mtools; _PROFILE: a file that cannot be read
 */
gboolean hvr_seed_check(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
			GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_seed_make - the image from which cloud-init's NoCloud source reads user-data and meta-data.
 * It is in memory only and has no name.
 * Returns: a descriptor (O_RDONLY) that the caller closes, or -1.
 */
int hvr_seed_make(const HvrProfile *profile, const HvrParts *parts,
		  GError **error) G_GNUC_WARN_UNUSED_RESULT;
