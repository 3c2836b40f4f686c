/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/guest/capture.h"
#include "launcher/guest/conversation.h"

gboolean hvr_guest_run(HvrGuest *guest, const HvrGuestCommand *command, HvrGuestResult *out_result,
		       GError **error)
{
	hvr_guest_set_deadline(guest, command->timeout_ms);
	return hvr_guest_reach(guest, hvr_guest_left_ms(guest, HVR_GUEST_ANSWER_MS), error) &&
	       hvr_guest_capture(guest, command, out_result, error);
}
