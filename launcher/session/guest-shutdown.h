/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/session.h"

/**
 * hvr_session_tell_guest - have the guest's agent shut it down in the guest's own way
 * (guest-shutdown), and see that it has come about.
 * @mode: "reboot" or "powerdown"
 * @event: of QEMU's, that tells so: RESET or SHUTDOWN
 *
 * The agent's channel is taken until then: it serves one client at a time.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: the VM has no agent channel, or the agent refuses; _BUSY:
 * not within HVR_GUEST_SHUTDOWN_MS; HVR_QMP_ERROR_CLOSED: QEMU ended meanwhile.
 */
void hvr_session_tell_guest(HvrSession *session, const char *mode, const char *event,
			    HvrSessionDone done, gpointer user_data);

#define HVR_GUEST_SHUTDOWN_MS 60000

/**
 * hvr_session_execute - one QMP command without arguments, and what QEMU says to it.
 * Errors: HVR_QMP_ERROR
 */
void hvr_session_execute(HvrSession *session, const char *command, HvrSessionDone done,
			 gpointer user_data);
