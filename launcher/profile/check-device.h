/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/profile/part.h"
#include "launcher/profile/profile.h"

/**
 * hvr_profile_check_with - the rules of [device NAME] with: a section in front of this one, with a
 * port of its own that has room for one function more. hvr_profile_number_functions() was called.
 * Errors: HVR_LAUNCH_ERROR_PROFILE
 */
gboolean hvr_profile_check_with(const char *file, const HvrProfile *profile,
				const HvrProfilePart *part,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;
