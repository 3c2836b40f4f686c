/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/guest/input.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "qmp/agent.h"

/* After this much silence whoever has left a pipe open by mistake is told what is waited for. */
#define SILENCE_MS 3000

/* Appends what there is. FALSE at the end, or with @error. */
static gboolean read_some(GByteArray *input, GError **error)
{
	guint8 bytes[16384];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	int saved = errno;

	if (n < 0 && (saved == EINTR || saved == EAGAIN))
		return TRUE;
	if (n < 0) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_KERNEL,
			    "cannot read the standard input: %s", g_strerror(saved));
		return FALSE;
	}
	g_byte_array_append(input, bytes, (guint)n);
	if (input->len <= HVR_AGENT_INPUT_MAX_BYTES)
		return n > 0;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "the guest's agent takes at most %d MiB of standard input",
		    HVR_AGENT_INPUT_MAX_BYTES / 1024 / 1024);
	return FALSE;
}

GByteArray *hvr_guest_input_read(GError **error)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = hvr_interrupt_fd(), .events = POLLIN } };
	g_autoptr(GByteArray) input = g_byte_array_new();
	gboolean more = !isatty(STDIN_FILENO);
	int silence_ms = SILENCE_MS;
	GError *cause = NULL;

	while (more && !cause) {
		int ready = poll(fds, G_N_ELEMENTS(fds), silence_ms);
		if (ready < 0 && errno != EINTR)
			break;
		if (ready == 0) {
			hvr_message("waiting for the end of the standard input, which is for the "
				    "command; --no-input does without");
			silence_ms = -1;
		}
		if (hvr_interrupt_check(&cause) && fds[0].revents)
			more = read_some(input, &cause);
	}
	if (!cause)
		return g_steal_pointer(&input);
	g_propagate_error(error, cause);
	return NULL;
}
