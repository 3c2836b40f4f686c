/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/process/user.h"
#include "launcher/profile/profile.h"
#include "vfio/host.h"

/**
 * hvr_images_check - would QEMU open the disks' images, and is what it would open what is meant?
 *
 * Each link of each chain is opened, as the VM's user and as QEMU will open it (for writing at the
 * top only), looked at by its first bytes, and closed: access, kind, format, what qcow2 says of
 * itself, locks of another QEMU, what the host does with a block device. Images that are still to
 * be made are passed over. Nothing on a network is opened. Changes nothing.
 * @images: cleared by the caller, also after an error
 * Errors: HVR_LAUNCH_ERROR_PROFILE: there is none, the user cannot use it, or QEMU would refuse it
 * or show the guest something else; _BUSY: another process has it
 */
gboolean hvr_images_check(HvrImages *images, const HvrHost *host, const HvrProfile *profile,
			  const HvrUser *user, GError **error);

/**
 * hvr_images_check_one - the same of one image that is no disk's, and has none behind it.
 * @what: names it in a message; @format: as QEMU is told
 */
typedef struct {
	const char *what, *path, *format;
	gboolean writes;
	guint64 unit; /* of a raw one the size is a multiple of it, and not 0; 0: any size will do
		       */
} HvrImageAlone;
gboolean hvr_images_check_one(const HvrImageAlone *image, const HvrUser *user,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;

void hvr_images_clear(HvrImages *images);

/* Adds a line for each note to @notes, of char *. */
void hvr_images_describe(const HvrImages *images, GPtrArray *notes);
