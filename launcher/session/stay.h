/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/session/session.h"

/**
 * hvr_session_stay - a VM that was to end with whoever started it goes on without: its supervisor
 * keeps its messages in HVR_VM_LOG, and nothing of the other's is open in it but what that gave it
 * to keep. A guest that panics does not end it any more.
 * Errors: HVR_LAUNCH_ERROR_USAGE: it would not end; _KERNEL
 */
void hvr_session_stay(HvrSession *session, HvrSessionDone done, gpointer user_data);
