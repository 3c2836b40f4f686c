/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/session.h"

/**
 * HvrScreen - a VM's screen: vms/NAME/vnc.sock or spice.sock (0600), open to whom the runtime
 * folder is open, or a port of 127.0.0.1, open to every user of this host. QEMU listens nowhere;
 * who connects is handed to it.
 */
typedef struct HvrScreen HvrScreen;

/**
 * hvr_screen_new - let viewers in, until it is freed. Those that are in stay in. When QEMU takes
 * one not, that one is hung up on, with a warning.
 * @fd: (transfer full): a socket that listens, without blocking; -1: there is no screen
 * Returns: NULL for -1
 */
HvrScreen *hvr_screen_new(HvrSession *session, int fd);
/* NULL is accepted. */
void hvr_screen_free(HvrScreen *screen);
