/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/*
 * The parts of a VM that the launcher makes or opens for it, beside its cards: new disks, variables
 * of UEFI, taps. Each has a file of its own; these are the questions to all of them.
 */

/**
 * hvr_parts_gather - see what there is, and whether what is missing could be made.
 * @user: borrowed for as long as the parts live
 *
 * Tries the profile's files, and a virtiofsd on its folders, as the VM's user in a child; changes
 * nothing. What is found first to be lacking is what is told.
 * Errors: HVR_LAUNCH_ERROR_BUSY: interrupted
 */
HvrParts *hvr_parts_gather(const HvrContext *context, const HvrProfile *profile,
			   const HvrUser *user, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_parts_free(HvrParts *parts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrParts, hvr_parts_free)

/* Could they all be made on this host? Changes nothing.
 * Returns: (transfer full): the first "no", or NULL. */
GError *hvr_parts_ask(const HvrContext *context, const HvrProfile *profile,
		      const HvrParts *parts) G_GNUC_WARN_UNUSED_RESULT;

/* Adds a line for each thing that will be made and stays, or is not as one might expect, to @notes,
 * of char *. */
void hvr_parts_describe(const HvrProfile *profile, const HvrParts *parts, GPtrArray *notes);

/* Makes the files that are missing, before QEMU is started. What was made, also where it fails
 * then, is noted in @parts. */
gboolean hvr_parts_create(const HvrProfile *profile, const HvrParts *parts,
			  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For a VM that came to nothing: removes again the files that were made for it,
 * hvr_serial_file_open()'s too, and nothing else. */
void hvr_parts_remove(const HvrParts *parts);
