/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* Will this disk's image be made, since it has a size and there is no file? */
gboolean hvr_disk_image_is_due(const HvrProfileDisk *disk);

/**
 * hvr_disk_images_check - could the images that are due be made? Changes nothing.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: there is no qemu-img; hvr_new_file_check()'s
 */
gboolean hvr_disk_images_check(const HvrContext *context, const HvrProfile *profile,
			       const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds a line for each image that is due to @notes, of char *. */
void hvr_disk_images_describe(const HvrProfile *profile, GPtrArray *notes);

/**
 * hvr_disk_images_create - make those that are due, empty, for the VM's user alone (0600).
 * An image has its name only when it is whole. qemu-img runs as the VM's user.
 */
gboolean hvr_disk_images_create(const HvrProfile *profile, const HvrParts *parts,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;
