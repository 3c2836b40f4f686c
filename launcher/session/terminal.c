/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A killed QEMU leaves the user with a shell that does not echo. Not here.
 */
#include "launcher/session/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

void hvr_terminal_set(int fd, int when, const struct termios *settings)
{
	void (*old)(int) = signal(SIGTTOU, SIG_IGN);

	tcsetattr(fd, when, settings);
	signal(SIGTTOU, old);
}

HvrTerminal hvr_terminal_save(const HvrProfile *profile)
{
	HvrTerminal terminal = { .saved = FALSE };

	if (profile->serial != HVR_SERIAL_STDIO || !isatty(STDIN_FILENO))
		return terminal;
	terminal.flags = fcntl(STDIN_FILENO, F_GETFL);
	terminal.saved = terminal.flags >= 0 && tcgetattr(STDIN_FILENO, &terminal.settings) == 0;
	return terminal;
}

void hvr_terminal_restore(HvrTerminal *terminal)
{
	if (!terminal->saved)
		return;
	hvr_terminal_set(STDIN_FILENO, TCSANOW, &terminal->settings);
	fcntl(STDIN_FILENO, F_SETFL, terminal->flags);
	terminal->saved = FALSE;
}
