/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* The file of a VM with UEFI that keeps its variables: boot entries, keys. */

/**
 * hvr_nvram_check - can the VM's user use the firmware, and its variables, or could they be made?
 * Where writes are thrown away (HvrProfileFirmware), they are not made.
 * Errors: HVR_LAUNCH_ERROR_PROFILE, _UNAVAILABLE: a firmware without its template, and
 * hvr_new_file_check()'s
 */
gboolean hvr_nvram_check(const HvrContext *context, const HvrProfile *profile,
			 const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The file that QEMU opens: the profile's; of a VM whose writes are thrown away, where that is
 * missing, the firmware's template. Borrowed. */
const char *hvr_nvram_path(const HvrProfile *profile, const HvrParts *parts);

/* Makes it of the firmware's template where it is missing, for the VM's user alone (0600). */
gboolean hvr_nvram_create(const HvrProfile *profile, const HvrParts *parts,
			  GError **error) G_GNUC_WARN_UNUSED_RESULT;
