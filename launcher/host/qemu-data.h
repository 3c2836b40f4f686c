/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"
#include "launcher/runtime/context.h"

/**
 * hvr_qemu_data_folders - where the QEMU at @path looks for the firmware and the ROMs that it loads
 * unasked, the first place first (-L help, of any version: softmmu/vl.c). It is started for it
 * once, some 30 ms, and remembered as hvr_qemu_recall() does.
 * @remember: FALSE: change nothing
 * Returns: (transfer full): of char *, absolute
 * Errors: of hvr_qemu_query(); HVR_LAUNCH_ERROR_UNAVAILABLE where what it prints is no such list
 */
GPtrArray *hvr_qemu_data_folders(const HvrContext *context, const HvrUser *user, const char *path,
				 gboolean remember, GError **error) G_GNUC_WARN_UNUSED_RESULT;
