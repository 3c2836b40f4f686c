/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/guest/guest.h"

/**
 * hvr_guest_capture - run a command whose output the agent keeps.
 * It gives output only when nobody holds the command's any more, so at the timeout all below it is
 * killed, by the guest's shell and its /proc. Without those there is none.
 * Errors: as hvr_guest_run()
 */
gboolean hvr_guest_capture(HvrGuest *guest, const HvrGuestCommand *command,
			   HvrGuestResult *out_result, GError **error) G_GNUC_WARN_UNUSED_RESULT;
