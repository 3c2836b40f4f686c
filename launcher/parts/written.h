/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * hvr_written_check - is what the VM writes to, the serial port's file, UEFI's variables, a TPM's
 * state, images that are yet to be made, nothing else that the profile names, under whatever name?
 * One path in two places hvr_profile_check_written() has seen; two images that are there,
 * hvr_images_check(). Changes nothing.
 * Errors: HVR_LAUNCH_ERROR_PROFILE
 */
gboolean hvr_written_check(const HvrContext *context, const HvrProfile *profile,
			   const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
