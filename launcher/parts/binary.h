/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * hvr_binary_find - the QEMU of [qemu] binary. Where there is none by the machine's own name for
 * it, the one that RHEL has in its place: /usr/libexec/qemu-kvm. Returns: (transfer full): its
 * path, or NULL
 */
char *hvr_binary_find(const HvrProfile *profile, gboolean privileged) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_binary_check - may the VM's user execute QEMU? Asked of the kernel as that user, so that
 * folders on the way, ACLs and mounts with noexec have their say. One that is not there at all is
 * hvr_judge_qemu()'s to tell.
 * Errors: HVR_LAUNCH_ERROR_PERMISSION
 */
gboolean hvr_binary_check(const HvrContext *context, const HvrProfile *profile,
			  const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
