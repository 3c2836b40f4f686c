/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* How many contexts of the kernel's QEMU makes for the disks with @aio. Pure. */
guint hvr_disk_aio_count(const HvrProfile *profile, HvrDiskAio aio);

/**
 * hvr_disk_aio_check - does the kernel give the VM's user what [disk NAME] aio asks for? Whether
 * QEMU has it is hvr_qemu_ask()'s.
 *
 * Tried as that user, since sysctls, seccomp filters and limits decide; what is had is let go at
 * once. Asks nothing where no disk has the key.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE
 */
gboolean hvr_disk_aio_check(const HvrContext *context, const HvrProfile *profile,
			    const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
