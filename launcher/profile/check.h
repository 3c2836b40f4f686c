/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/profile/part.h"
#include "launcher/profile/profile.h"

/**
 * hvr_profile_check - what takes more than one value to judge.
 * @parts: of HvrProfilePart, in the file's order
 *
 * Returns: FALSE with HVR_LAUNCH_ERROR_PROFILE.
 */
gboolean hvr_profile_check(const char *file, const HvrProfile *profile, const GPtrArray *parts,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;
