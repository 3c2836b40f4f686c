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
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"
#include "vfio/fd.h"

#define PENDING_BYTES 4096

typedef struct {
	int socket, input, output;
	gboolean input_ended;
	gboolean left;
	guint8 pending[PENDING_BYTES]; /* from the user, on its way to the guest */
	gsize n_pending;
} Console;

/* The user. FALSE: there was the key. */
static void take_input(Console *console)
{
	ssize_t n = read(console->input, console->pending + console->n_pending,
			 PENDING_BYTES - console->n_pending);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		console->input_ended = TRUE;
		return;
	}
	guint8 *key = isatty(console->input) ? memchr(console->pending + console->n_pending,
						      HVR_CONSOLE_LEAVE, (gsize)n)
					     : NULL;
	console->left = key != NULL;
	console->n_pending = key ? (gsize)(key - console->pending) : console->n_pending + (gsize)n;
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

/* FALSE with @out_end: it is over. */
static gboolean pass_output(Console *console, HvrConsoleEnd *out_end)
{
	char bytes[4096];
	ssize_t n = recv(console->socket, bytes, sizeof(bytes), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return TRUE;
	*out_end = n <= 0 ? HVR_CONSOLE_ENDED : HVR_CONSOLE_FAILED;
	return n > 0 && hvr_fd_write_all(console->output, bytes, (gsize)n);
}

static gboolean note_signal(void)
{
	int signal_number = hvr_interrupt_take();

	if (signal_number)
		hvr_interrupt_note(signal_number);
	return signal_number != 0;
}

/* One turn. FALSE with @out_end: it is over. */
static gboolean turn(Console *console, HvrConsoleEnd *out_end)
{
	gboolean room = !console->input_ended && console->n_pending < PENDING_BYTES;
	struct pollfd fds[] = {
		{ console->socket, (short)(POLLIN | (console->n_pending ? POLLOUT : 0)), 0 },
		{ room ? console->input : -1, POLLIN, 0 },
		{ hvr_interrupt_fd(), POLLIN, 0 },
	};

	if (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
		return errno == EINTR;
	*out_end = HVR_CONSOLE_SIGNAL;
	if (fds[2].revents && note_signal())
		return FALSE;
	if (fds[1].revents)
		take_input(console);
	*out_end = HVR_CONSOLE_ENDED;
	if (console->n_pending && !pass_input(console))
		return FALSE;
	*out_end = HVR_CONSOLE_LEFT;
	if (console->left)
		return FALSE;
	return !(fds[0].revents & ~POLLOUT) || pass_output(console, out_end);
}

/* Returns: was it a terminal, with @out_before what to put back? */
static gboolean make_raw(int fd, struct termios *out_before)
{
	struct termios raw;

	if (!isatty(fd) || tcgetattr(fd, out_before) < 0)
		return FALSE;
	raw = *out_before;
	cfmakeraw(&raw);
	return tcsetattr(fd, TCSADRAIN, &raw) == 0;
}

/* In the background tcsetattr(3) would stop us with SIGTTOU. */
static void put_back(int fd, const struct termios *before)
{
	void (*old)(int) = signal(SIGTTOU, SIG_IGN);

	tcsetattr(fd, TCSADRAIN, before);
	signal(SIGTTOU, old);
}

HvrConsoleEnd hvr_console_run(int socket, int input, int output)
{
	Console console = { .socket = socket, .input = input, .output = output };
	HvrConsoleEnd end = HVR_CONSOLE_ENDED;
	struct termios before;
	gboolean raw = make_raw(input, &before);

	while (turn(&console, &end))
		;
	if (raw)
		put_back(input, &before);
	return end;
}
