/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/profile/part.h"
#include "launcher/profile/profile.h"

/* The rules of [disk NAME] for hvr_profile_check(). All fail with HVR_LAUNCH_ERROR_PROFILE. */

/* What values of one disk go together. */
gboolean hvr_profile_check_disk(const char *file, const HvrProfilePart *part,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Two disks, in this order in the file, share an image only where neither writes to it. */
gboolean hvr_profile_check_images(const char *file, const HvrProfilePart *a,
				  const HvrProfilePart *b,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
