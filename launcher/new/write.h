/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"

/**
 * hvr_new_write - write a text to a file that is not there yet, as @caller. What is there is left
 * alone, be it a link that leads nowhere; what was begun and failed is removed.
 * @command: that does so, for messages
 * Errors: HVR_LAUNCH_ERROR_USAGE: there is such a file; _UNAVAILABLE; _PERMISSION
 */
gboolean hvr_new_write(const HvrUser *caller, const char *command, const char *path,
		       const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
