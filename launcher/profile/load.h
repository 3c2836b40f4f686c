/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"

/**
 * hvr_profile_find - the file that a PROFILE word on the command line means.
 * @word: a path when it has a '/' or ends in ".ini"; else a name, looked up as NAME.ini in the
 *        current folder, @config_home/hailo-vm-run/ and @system_dir
 * @config_home: (nullable): $XDG_CONFIG_HOME or its default; NULL in a privileged process that
 *               does not trust its environment
 * @system_dir: "/etc/hailo-vm-run"
 *
 * Errors: HVR_LAUNCH_ERROR_PROFILE, naming every place that was looked at.
 */
char *hvr_profile_find(const char *word, const char *config_home, const char *system_dir,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_profile_load - read and check a profile, and the files that it includes.
 * @file: a regular file of at most 1 MiB (fstat-checked on the descriptor that is then read);
 *   HVR_LAUNCH_ERROR_PERMISSION where the caller may not read it
 * @overrides: (nullable): NULL-terminated "SECTION.KEY=VALUE" words of --set, later ones win; the
 *   section of a named one is written as in the file, with '.' or ' ': "device npu.pick=free" or
 *   "device.npu.pick=free". A section that the file does not have is added. An empty value takes
 *   back a key that has no default.
 *
 * The first mistake ends it: HVR_LAUNCH_ERROR_PROFILE, "FILE:LINE: [section] key: what is wrong"
 * with the nearest known name as the hint. For an override the place is "--set SECTION.KEY".
 */
HvrProfile *hvr_profile_load(const char *file, const char *const *overrides,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
