/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/qemu/diagnose.h"
#include "launcher/session/session.h"
#include "vfio/kmsg.h"

/**
 * hvr_verdict - how the end of a session's QEMU is told to the user: with what its words or its
 * signal mean, and where that has several causes, with the line of the kernel's log that says
 * which.
 * @said: (nullable): what QEMU's words mean
 * @kmsg: (nullable): open since before QEMU was started
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE with a hint where there is one, or why we ended it
 * ourselves; none where it ended well, or as we asked
 */
void hvr_verdict(const HvrSession *session, const HvrDiagnosis *said, HvrKmsg *kmsg,
		 GError **error);
