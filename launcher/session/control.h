/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/session.h"

/**
 * The control socket of a supervisor, vms/NAME/control.sock: how other processes ask it to act, as
 * it alone answers for the VM's cards. It speaks QMP's framing (greeting, qmp_capabilities, ids);
 * what may be asked is in request.h.
 *
 * Each request that can be understood is answered by {"status": S, "message": TEXT}: 0, or the exit
 * status and the error with its hint, as the command that asked shall end. One that cannot is
 * answered by QMP's "error". Requests run at the same time.
 */

typedef struct HvrControl HvrControl;

/**
 * hvr_control_new - serve on a listening socket.
 * @fd: (transfer full)
 */
HvrControl *hvr_control_new(HvrSession *session, int fd);
/* Drops all connections; requests under way go on unanswered. NULL is accepted. */
void hvr_control_free(HvrControl *control);

/* What became of hvr_control_ask(). */
typedef enum {
	HVR_CONTROL_DONE,	   /* answered: see the error */
	HVR_CONTROL_NO_SUPERVISOR, /* nobody listens: the caller may stand in */
} HvrControlAnswer;

/**
 * hvr_control_ask - have a VM's supervisor carry out one command, and wait for its answer.
 * @folder: vms/NAME
 * @arguments: (transfer full)
 * @timeout_ms: for the whole of it
 *
 * Errors: with HVR_CONTROL_DONE, what the supervisor answered, in HVR_STATUS_ERROR; HVR_QMP_ERROR
 * when the connection failed.
 */
HvrControlAnswer hvr_control_ask(int folder, const char *command, JsonObject *arguments,
				 guint timeout_ms, GError **error);
