/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/process/user.h"
#include "launcher/session/session.h"

/* Could it be done without somebody who stays (--exec)? Pure. Errors: HVR_LAUNCH_ERROR_USAGE */
gboolean hvr_pins_check_exec(const HvrProfile *profile, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_pins_begin - put each virtual CPU where [cpu] wants it, as soon as QEMU tells its threads.
 *
 * Who is put is what QEMU says, so it is done as the VM's user, who may do that to their own
 * threads alone, and only to a thread of QEMU's. QEMU itself cannot: its sandbox denies it. One
 * that cannot be put is told of, and runs where QEMU does. Does nothing where no virtual CPU has a
 * place.
 * @user: QEMU's; outlives the session
 */
void hvr_pins_begin(HvrSession *session, const HvrUser *user);
