/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/hotplug.h"

/**
 * The control socket of a supervisor, vms/NAME/control.sock: how other processes ask it to act, as
 * it alone answers for the VM's cards. It speaks QMP's framing (greeting, qmp_capabilities, ids);
 * what may be asked is in request.h, who asks is ask.h.
 *
 * Each request that can be understood is answered by {"status": S, "message": TEXT}: 0, or the exit
 * status and the error with its hint, as the command that asked shall end. One that cannot is
 * answered by QMP's "error". Requests run at the same time;
 * one for a device that another request has on its way in or out is told so at once.
 *
 * The answer to `stop`, and to whatever else QEMU's end has answered, has one member more.
 */
#define HVR_CONTROL_ENDED_BY "ended_by" /* of hvr_shutdown_word(): what it took; or null */

typedef struct HvrControl HvrControl;

/**
 * hvr_control_new - serve on a listening socket.
 * @fd: (transfer full)
 */
HvrControl *hvr_control_new(HvrHotplug *hotplug, int fd);
/* Drops all connections; requests under way go on unanswered. NULL is accepted. */
void hvr_control_free(HvrControl *control);
