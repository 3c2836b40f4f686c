/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"
#include "launcher/profile/profile.h"

/**
 * hvr_files_check - can the VM's user use the kernel, the initrd, the shared folders and the ROMs
 * that the profile names, and are they that? Tried as that user; changes nothing.
 * Errors: HVR_LAUNCH_ERROR_PROFILE
 */
gboolean hvr_files_check(const HvrProfile *profile, const HvrUser *user,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for the ROM of one card, if it is given one. */
gboolean hvr_files_check_rom(const HvrProfileDevice *device, const HvrUser *user,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
