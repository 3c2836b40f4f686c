/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/keys.h"
#include "launcher/session/relay.h"

/**
 * hvr_console_run - join a terminal and a guest's serial port, until one of them is left.
 * @socket: connected; stays the caller's
 * @input, @output: where the user is. A terminal on @input is raw meanwhile, and is put back
 *   before this returns. At the end of an input that is no terminal, output goes on.
 * @keys: what a terminal's Ctrl-] does, which is announced; d and q leave
 * Returns: HVR_RELAY_OPEN when a signal ended it: see hvr_interrupt_pending()
 */
HvrRelayEnd hvr_console_run(int socket, int input, int output, HvrKeys *keys);
