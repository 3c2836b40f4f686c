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

/**
 * hvr_profile_check_index - two cards, in this order in the file, have not one acpi-index: QEMU
 * refuses the second ("a PCI device with acpi-index = 7 already exist", hw/acpi/pcihp.c), when the
 * cards have moved.
 * Errors: HVR_LAUNCH_ERROR_PROFILE
 */
gboolean hvr_profile_check_index(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;
