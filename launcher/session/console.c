/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two pipes between a user and a socket: bytes as they are, both ways, and one key that is ours.
 *
 * A raw terminal sends its signals as bytes, so they are the guest's. Signals from elsewhere come
 * by the signalfd, so the terminal is put back on every way out but SIGKILL. What the guest does
 * not take is kept, a little of it; then the user is not read any more.
 */
#include "launcher/session/console.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"
#include "launcher/session/terminal.h"
#include "vfio/fd.h"

#define PENDING_BYTES 4096

typedef struct {
	int socket, input, output;
	gboolean input_ended;
	gboolean left;
	guint8 pending[PENDING_BYTES]; /* from the user, on its way to the guest */
	gsize n_pending;
} Console;

static void take_input(Console *console)
{
	guint8 *taken = console->pending + console->n_pending;
	ssize_t n = read(console->input, taken, PENDING_BYTES - console->n_pending);
	const guint8 *key = NULL;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		console->input_ended = TRUE;
		return;
	}
	if (isatty(console->input))
		key = memchr(taken, HVR_CONSOLE_LEAVE, (gsize)n);
	if (key)
		n = key - taken;
	console->left = key != NULL;
	console->n_pending += (gsize)n;
}

/* FALSE: the guest is gone. */
static gboolean pass_input(Console *console)
{
	ssize_t n = send(console->socket, console->pending, console->n_pending, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	console->n_pending -= (gsize)n;
	memmove(console->pending, console->pending + n, console->n_pending);
	return TRUE;
}

static HvrConsoleEnd pass_output(const Console *console)
{
	char bytes[4096];
	ssize_t n = recv(console->socket, bytes, sizeof(bytes), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return HVR_CONSOLE_OPEN;
	if (n <= 0)
		return HVR_CONSOLE_ENDED;
	if (!hvr_fd_write_all(console->output, bytes, (gsize)n))
		return HVR_CONSOLE_FAILED;
	return HVR_CONSOLE_OPEN;
}

static HvrConsoleEnd turn(Console *console)
{
	struct pollfd fds[] = {
		{ .fd = console->socket, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
		{ .fd = hvr_interrupt_fd(), .events = POLLIN },
	};

	if (console->n_pending)
		fds[0].events |= POLLOUT;
	if (!console->input_ended && console->n_pending < PENDING_BYTES)
		fds[1].fd = console->input;
	if (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
		return errno == EINTR ? HVR_CONSOLE_OPEN : HVR_CONSOLE_ENDED;
	if (fds[2].revents && !hvr_interrupt_check(NULL))
		return HVR_CONSOLE_SIGNAL;
	if (fds[1].revents)
		take_input(console);
	if (console->n_pending && !pass_input(console))
		return HVR_CONSOLE_ENDED;
	if (console->left)
		return HVR_CONSOLE_LEFT;
	if (fds[0].revents & ~POLLOUT)
		return pass_output(console);
	return HVR_CONSOLE_OPEN;
}

HvrConsoleEnd hvr_console_run(int socket, int input, int output)
{
	Console console = { .socket = socket, .input = input, .output = output };
	HvrConsoleEnd end = HVR_CONSOLE_OPEN;
	struct termios before, raw;
	gboolean changed = FALSE;

	if (isatty(input) && tcgetattr(input, &before) == 0) {
		raw = before;
		cfmakeraw(&raw);
		changed = tcsetattr(input, TCSADRAIN, &raw) == 0;
	}
	while (end == HVR_CONSOLE_OPEN)
		end = turn(&console);
	if (changed)
		hvr_terminal_set(input, TCSADRAIN, &before);
	return end;
}
