/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <termios.h>

/* Who has what is typed at a descriptor. */
typedef enum {
	HVR_TERMINAL_NONE,	 /* it is no terminal */
	HVR_TERMINAL_OURS,	 /* our process group is the one in front */
	HVR_TERMINAL_BACKGROUND, /* another one is, for now */
	HVR_TERMINAL_FOREIGN,	 /* it is not the terminal of our session, and never will be */
} HvrTerminalPlace;

HvrTerminalPlace hvr_terminal_place(int fd);

/* A terminal while it is raw, and as it was before. */
typedef struct {
	int fd;
	gboolean raw;
	gboolean keep_output; /* "\n" goes on to begin a line: messages of ours are shown there */
	struct termios before;
} HvrTerminal;

/* Every key becomes a byte, once more where it is raw already: somebody may have had it meanwhile.
 * Messages are shown as such a terminal needs them, see hvr_message_raw().
 * In the background this would change what somebody else types at: see hvr_terminal_place(). */
void hvr_terminal_take(HvrTerminal *terminal);
/* It is as it was, also from the background. Does nothing where it is not raw. */
void hvr_terminal_give_back(HvrTerminal *terminal);
