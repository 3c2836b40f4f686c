/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A launcher that ends leaves the user with a shell that echoes, so what is changed is remembered
 * before. Only settings are: O_NONBLOCK would be the shell's, too, and is never set.
 */
#include "launcher/session/terminal.h"

#include <signal.h>
#include <unistd.h>

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

gboolean hvr_terminal_set(int fd, int when, const struct termios *settings)
{
	void (*old)(int) = signal(SIGTTOU, SIG_IGN);
	gboolean done = tcsetattr(fd, when, settings) == 0;

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
	terminal->raw = hvr_terminal_set(terminal->fd, TCSANOW, &raw);
}

void hvr_terminal_give_back(HvrTerminal *terminal)
{
	if (terminal->raw)
		hvr_terminal_set(terminal->fd, TCSANOW, &terminal->before);
	terminal->raw = FALSE;
}
