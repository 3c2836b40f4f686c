/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* The key that leaves: Ctrl-]. */
#define HVR_CONSOLE_LEAVE 0x1d

typedef enum {
	HVR_CONSOLE_OPEN,   /* it goes on; never returned */
	HVR_CONSOLE_LEFT,   /* by the key */
	HVR_CONSOLE_ENDED,  /* the other side has closed: QEMU has ended */
	HVR_CONSOLE_SIGNAL, /* see hvr_interrupt_pending() */
	HVR_CONSOLE_FAILED, /* our own output cannot be written */
} HvrConsoleEnd;

/**
 * hvr_console_run - join a terminal and a guest's serial port, until one of them is left.
 * @socket: connected, non-blocking; stays the caller's
 * @input, @output: where the user is. A terminal on @input is raw meanwhile, and is put back
 *   before this returns. At the end of an input that is no terminal, output goes on.
 */
HvrConsoleEnd hvr_console_run(int socket, int input, int output);
