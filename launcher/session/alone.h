/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * hvr_alone_check - could the VM do with nobody who stays with it (--exec)?
 * Errors: HVR_LAUNCH_ERROR_USAGE: its screen, its serial port or its CPUs need somebody
 */
gboolean hvr_alone_check(const HvrContext *context, const HvrProfile *profile,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;
