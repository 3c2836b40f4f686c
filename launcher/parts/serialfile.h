/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* The file of [serial] file, which is the VM's user's. */

/**
 * hvr_serial_file_check - could it be written, or made? Changes nothing.
 * Errors: HVR_LAUNCH_ERROR_PROFILE, or _PERMISSION
 */
gboolean hvr_serial_file_check(const HvrContext *context, const HvrProfile *profile,
			       const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_serial_file_open - make or empty it, for QEMU to write to.
 * Returns: a descriptor (O_WRONLY) that the caller closes, or -1 with the errors of the check
 */
int hvr_serial_file_open(const HvrProfile *profile, const HvrUser *user,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;
