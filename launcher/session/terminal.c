/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A launcher that ends leaves the user with a shell that echoes, so what is changed is remembered
 * before. Only settings are: O_NONBLOCK would be the shell's, too, and is never set.
 */
#include "launcher/session/terminal.h"

#include <signal.h>
#include <unistd.h>

#include "launcher/report/message.h"

HvrTerminalPlace hvr_terminal_place(int fd)
{
	if (!isatty(fd))
		return HVR_TERMINAL_NONE;
	pid_t front = tcgetpgrp(fd);
	if (front < 0)
		return HVR_TERMINAL_FOREIGN;
	if (front == getpgrp())
		return HVR_TERMINAL_OURS;
	return HVR_TERMINAL_BACKGROUND;
}

/* Also in the background, where that would stop us. What is on its way out is not waited for: it
 * may be held up for ever (Ctrl-S). */
static gboolean set(int fd, const struct termios *settings)
{
	void (*old)(int) = signal(SIGTTOU, SIG_IGN);
	gboolean done = tcsetattr(fd, TCSANOW, settings) == 0;

	signal(SIGTTOU, old);
	return done;
}

void hvr_terminal_take(HvrTerminal *terminal)
{
	if (!terminal->raw && tcgetattr(terminal->fd, &terminal->before) < 0)
		return;
	struct termios raw = terminal->before;
	cfmakeraw(&raw);
	if (terminal->keep_output)
		raw.c_oflag = terminal->before.c_oflag;
	terminal->raw = set(terminal->fd, &raw);
	hvr_message_raw(terminal->raw && isatty(STDERR_FILENO));
}

void hvr_terminal_give_back(HvrTerminal *terminal)
{
	if (terminal->raw)
		set(terminal->fd, &terminal->before);
	terminal->raw = FALSE;
	hvr_message_raw(FALSE);
}
