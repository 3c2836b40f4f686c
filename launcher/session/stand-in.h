/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/request.h"
#include "launcher/session/shutdown.h"

/* A command in the place of a supervisor that is gone or never was (--exec). */

/**
 * hvr_stand_in - carry out a request by a session of our own, which lasts until it is done.
 * @vm: (transfer full)
 * @out_stage: (nullable): what it took to end QEMU, where the request was that
 *
 * Errors: as hvr_session_stand_in(); of the request itself, see session.h; HVR_LAUNCH_ERROR_BUSY
 * when interrupted, and then the VM is left as it is; HVR_QMP_ERROR_CLOSED when QEMU ended and that
 * was not the request.
 */
gboolean hvr_stand_in(const HvrContext *context, HvrVm *vm, const HvrRequest *request,
		      HvrShutdownStage *out_stage, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_stand_in_finish - put right what a VM has left whose QEMU and supervisor have both ended:
 * its cards go back, its folder goes. Where nothing is left, nothing is done. Another command that
 * is at it, such as a second stop, is waited for, for 5 minutes; a card that it had to leave is
 * tried again.
 * @out_did: (also on failure) this call has put it away, and nobody else
 * Errors: HVR_LAUNCH_ERROR_BUSY: somebody else is still at it; of hvr_giveback()
 */
gboolean hvr_stand_in_finish(const HvrContext *context, const HvrVm *vm, gboolean *out_did,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
