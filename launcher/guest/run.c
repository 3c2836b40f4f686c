/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command in the guest, in the best way that the guest can.
 */
#include <errno.h>

#include "launcher/guest/capture.h"
#include "launcher/guest/conversation.h"
#include "launcher/guest/input.h"
#include "launcher/guest/live.h"
#include "launcher/guest/output.h"
#include "launcher/guest/put.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

static gboolean put_all(HvrGuest *guest, const GPtrArray *puts, GError **error)
{
	for (guint i = 0; puts && i < puts->len; i++) {
		const HvrGuestPut *put = g_ptr_array_index(puts, i);
		if (put->to && !hvr_guest_put(guest, put, put->to, TRUE, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean pass_on(int fd, int copy, const GByteArray *bytes, GError **error)
{
	hvr_guest_output_copy(&copy, bytes);
	if (hvr_fd_write_all(fd, bytes->data, bytes->len) || errno == EPIPE)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
		    "cannot write the command's output: %s", g_strerror(errno));
	return FALSE;
}

/* In a guest without the shell that a live command takes: its input before, its output behind it.
 */
static gboolean run_at_once(HvrGuest *guest, const HvrGuestCommand *command,
			    HvrGuestResult *out_result, GError **error)
{
	const HvrGuestLive *live = command->live;
	const HvrGuestOptions *how = live->how;
	g_autoptr(GByteArray) input = hvr_guest_input_read(live->in_fd, error);
	HvrGuestCommand what = *command;

	if (!input || !hvr_guest_reach(guest, HVR_GUEST_ANSWER_MS, error))
		return FALSE;
	if (how->env || how->cwd || how->user || how->script) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "VM '%s': the guest has no shell, without which a command has neither "
			    "environment nor folder nor user nor script",
			    guest->name);
		hvr_error_hint(error, "it takes sh, mktemp, mkfifo and dd there, and an agent that "
				      "may open the files that they make");
		return FALSE;
	}
	what.input = input->data;
	what.input_bytes = input->len;
	return hvr_guest_capture(guest, &what, out_result, error) &&
	       pass_on(live->out_fd, live->copies[0], out_result->out, error) &&
	       pass_on(live->err_fd, live->copies[1], out_result->err, error);
}

gboolean hvr_guest_run(HvrGuest *guest, const HvrGuestCommand *command, HvrGuestResult *out_result,
		       GError **error)
{
	hvr_guest_set_deadline(guest, command->live ? 0 : command->timeout_ms);
	if (!hvr_guest_reach(guest, hvr_guest_left_ms(guest, HVR_GUEST_ANSWER_MS), error))
		return FALSE;
	if (!command->live)
		return hvr_guest_capture(guest, command, out_result, error);
	if (!put_all(guest, command->live->puts, error))
		return FALSE;
	switch (hvr_guest_live(guest, command, out_result, error)) {
	case HVR_GUEST_LIVE_DONE:
		return TRUE;
	case HVR_GUEST_LIVE_UNSUITABLE:
		return run_at_once(guest, command, out_result, error);
	default:
		return FALSE;
	}
}
