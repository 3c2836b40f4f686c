/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrProfileChanges - how a command line bends a profile: first sections are dropped, then keys are
 * set, so that what is dropped can be written anew.
 */
typedef struct {
	/* (nullable): NULL-terminated "SECTION.KEY=VALUE" of --set, later ones win; the section of
	 * a named one is written as in the file, with '.' or ' ': "device npu.pick=free" or
	 * "device.npu.pick=free". A section that the file does not have is added. An empty value is
	 * as if nobody had written the key, neither the file nor a word before it. */
	char **sets;
	/* (nullable): NULL-terminated "SECTION" of --without, written in the same ways; the kind of
	 * a named one by itself ("device") is all of them. One that is not there is an error. */
	char **without;
} HvrProfileChanges;

/**
 * hvr_profile_override - bend a profile's lines.
 * @lines: of HvrProfileLine, with those of what it includes
 * @changes: (nullable)
 * @out_name_auto: the last word about the VM's name was that one is to be made
 * Errors: HVR_LAUNCH_ERROR_PROFILE, the place is "--set SECTION.KEY" or "--without SECTION"
 */
gboolean hvr_profile_override(GPtrArray *lines, const HvrProfileChanges *changes,
			      gboolean *out_name_auto, GError **error) G_GNUC_WARN_UNUSED_RESULT;
