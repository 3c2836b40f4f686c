/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <termios.h>

#include "launcher/profile/profile.h"

/**
 * HvrTerminal - the terminal as it was before QEMU had it. QEMU makes it raw and non-blocking for
 * `[serial] mode = stdio`, and leaves it so when it is killed.
 */
typedef struct {
	gboolean saved;
	struct termios settings;
	int flags;
} HvrTerminal;

/* tcsetattr(3) @when, also in the background, where that would stop us with SIGTTOU. */
void hvr_terminal_set(int fd, int when, const struct termios *settings);

/* Remembers the terminal on standard input, if the profile's guest will use it. */
HvrTerminal hvr_terminal_save(const HvrProfile *profile);
/* Puts it back. */
void hvr_terminal_restore(HvrTerminal *terminal);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrTerminal, hvr_terminal_restore)
