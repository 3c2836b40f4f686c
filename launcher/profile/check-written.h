/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/profile/part.h"
#include "launcher/profile/profile.h"

/**
 * hvr_profile_check_written - two sections of different kinds, in this order in the file, have not
 * one path for what each writes: a disk's image, UEFI's variables, a TPM's state, the serial port's
 * output. One file under two paths only the host can tell (hvr_written_check()).
 * Errors: HVR_LAUNCH_ERROR_PROFILE
 */
gboolean hvr_profile_check_written(const char *file, const HvrProfile *profile,
				   const HvrProfilePart *a, const HvrProfilePart *b,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;
