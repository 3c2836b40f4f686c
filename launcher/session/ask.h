/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/request.h"
#include "qmp/client.h"

/* The other side of a request: a command that has one for a VM. */

/**
 * hvr_ask_supervisor - have a VM's supervisor carry out a request, and wait for its answer: for as
 * long as the request lets it wait, and five minutes for what it has to do.
 * @folder: vms/NAME
 *
 * Errors: what the supervisor answered, in HVR_STATUS_ERROR; HVR_QMP_ERROR when the connection
 * failed; of G_IO_ERROR, hvr_ask_found_nobody() tells the one that may be no failure.
 */
gboolean hvr_ask_supervisor(int folder, const HvrRequest *request,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_ask_begin - the same over a connection that is there, without waiting: the main loop goes on.
 * @supervisor: connected to HVR_VM_CONTROL; may have other requests under way
 * @done: told once, with errors as of hvr_ask_supervisor(); at the latest when @supervisor's last
 *	reference goes
 */
void hvr_ask_begin(HvrQmpClient *supervisor, const HvrRequest *request, HvrSessionDone done,
		   gpointer user_data);

/* Is hvr_ask_supervisor()'s @error that there is no supervisor, so that nothing was asked? */
gboolean hvr_ask_found_nobody(const GError *error);

/**
 * hvr_ask - have a request carried out by whoever answers for a VM: its supervisor; where there is
 * none (--exec, or it was killed), this process stands in for it.
 * @vm: (transfer full)
 *
 * While it waits for a supervisor, a termination signal ends this process at once, and the
 * supervisor goes on. Standing in, it leaves the VM as it is then: hvr_interrupt_pending().
 *
 * Errors: as hvr_ask_supervisor() and hvr_session_stand_in(); of the request itself, see
 * session.h; HVR_LAUNCH_ERROR_UNAVAILABLE for what needs a supervisor; _BUSY when interrupted;
 * HVR_QMP_ERROR_CLOSED when QEMU ended and that was not the request.
 */
gboolean hvr_ask(const HvrContext *context, HvrVm *vm, const HvrRequest *request,
		 GError **error) G_GNUC_WARN_UNUSED_RESULT;
