/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/session.h"

/**
 * HvrScreen - the socket of a VM's screen, vms/NAME/vnc.sock or spice.sock (0600): open to whom the
 * runtime folder is open. QEMU listens nowhere; who connects is handed to it.
 */
typedef struct HvrScreen HvrScreen;

/**
 * hvr_screen_new - serve the screen that the profile asks for without a port, until it is freed.
 * Viewers that are in stay in. When QEMU takes one not, that one is hung up on, with a warning.
 * Returns: NULL where none is asked for, or, with a warning, where the socket cannot be made.
 */
HvrScreen *hvr_screen_new(HvrSession *session);
/* NULL is accepted. */
void hvr_screen_free(HvrScreen *screen);

/* The name of its socket in vms/NAME/; NULL: @profile asks for none. */
const char *hvr_screen_name(const HvrProfile *profile);
