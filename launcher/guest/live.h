/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/guest/guest.h"

/* What came of a try. */
typedef enum {
	HVR_GUEST_LIVE_DONE,
	HVR_GUEST_LIVE_FAILED,	   /* with an error */
	HVR_GUEST_LIVE_UNSUITABLE, /* the guest has no shell for it, and nothing was started */
} HvrGuestLiveEnd;

/**
 * hvr_guest_live - run a command whose input and output flow while it runs, through files that the
 * guest's shell makes (prepare.sh, run.sh), and as @command->live says. In the end, however it
 * came, nothing of that is left; where the agent is lost, the guest sees to it after a while.
 * Errors: as hvr_guest_run()
 */
HvrGuestLiveEnd hvr_guest_live(HvrGuest *guest, const HvrGuestCommand *command,
			       HvrGuestResult *out_result,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
