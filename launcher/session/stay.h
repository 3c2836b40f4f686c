/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/session/session.h"

/**
 * hvr_session_stay - a VM that was to end with whoever started it goes on without: its supervisor
 * keeps its messages in HVR_VM_LOG, and nothing of the other's is open in it but what that gave it
 * to keep. A guest that panics does not end it any more.
 * The same of one whose terminal another process has (front.h): that may go. Events go on, unless a
 * terminal has them.
 * Errors: HVR_LAUNCH_ERROR_USAGE: it has nobody to go on without; _KERNEL
 */
void hvr_session_stay(HvrSession *session, HvrSessionDone done, gpointer user_data);

/* @fd: HvrRunOptions.front: when its other side is closed, the session goes on without. 0: there is
 * none. */
void hvr_session_watch_front(HvrSession *session, int fd);
