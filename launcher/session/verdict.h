/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/qemu/diagnose.h"
#include "launcher/session/session.h"
#include "vfio/kmsg.h"

/**
 * hvr_verdict_explain - add to @error, as a hint, what QEMU's words mean, and where that has
 * several causes, or nobody knows one, what the kernel's log says.
 * @said: (nullable): what QEMU's words mean
 * @kmsg: (nullable): open since before what failed
 */
void hvr_verdict_explain(const HvrSession *session, const HvrDiagnosis *said, HvrKmsg *kmsg,
			 GError **error);

/**
 * hvr_verdict - how the end of a session's QEMU is told to the user: with what its words or its
 * signal mean, as hvr_verdict_explain() says it.
 * @answered: over QMP: one that has not, and ended well, has run no VM
 * @said, @kmsg: as above; the latter since before QEMU was started
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE with a hint where there is one, or why we ended it
 * ourselves; none where it ended well, or as we asked
 */
void hvr_verdict(const HvrSession *session, gboolean answered, const HvrDiagnosis *said,
		 HvrKmsg *kmsg, GError **error);
