/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/vm.h"
#include "launcher/session/request.h"
#include "launcher/session/shutdown.h"
#include "qmp/client.h"

/* The other side of a request: a command that has one for a VM. */

/* Who is asked. */
typedef struct {
	int folder; /* vms/NAME */
	/* NULL: nobody is known by name. Else its supervisor has to be the one in there, and goes
	 * on where it is stopped. */
	const HvrVm *vm;
	const HvrContext *context; /* with @vm */
	guint patience_ms; /* until it has answered that it is there; 0: as long as is sensible */
	gint64 kill_at_us; /* monotonic: QEMU is killed then, if it is still there; 0: never */
} HvrAsk;

/**
 * hvr_ask_it - have a VM's supervisor carry out a request, and wait for its answer: for as long as
 * the request lets it wait, and five minutes for what it has to do.
 *
 * One that a signal has stopped goes on for it (rouse.h), also if that happens meanwhile.
 * @out_stage: what it took to end QEMU, where the supervisor says so
 *
 * Errors: what the supervisor answered, in HVR_STATUS_ERROR; HVR_QMP_ERROR when the connection
 * failed; of HVR_LAUNCH_ERROR and G_IO_ERROR, the two functions below tell what they mean.
 */
gboolean hvr_ask_it(const HvrAsk *ask, const HvrRequest *request, HvrShutdownStage *out_stage,
		    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same of one that is known by its socket alone. @folder: vms/NAME */
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

/* Is their @error that there is no supervisor, so that nothing was asked? */
gboolean hvr_ask_found_nobody(const GError *error);

/* Is it that there is one which does not answer? It may do what was asked when it does again. */
gboolean hvr_ask_found_deaf(const GError *error);

/**
 * hvr_ask - have a request carried out by whoever answers for a VM: its supervisor; where there is
 * none (--exec, or it was killed), this process stands in for it.
 * @vm: (transfer full)
 *
 * To end a VM there is more: hvr_stop().
 *
 * While it waits for a supervisor, a termination signal ends this process at once, and the
 * supervisor goes on. Standing in, it leaves the VM as it is then: hvr_interrupt_pending().
 *
 * Errors: as hvr_ask_it() and hvr_stand_in(); HVR_LAUNCH_ERROR_UNAVAILABLE for what needs a
 * supervisor; _BUSY, with a hint, for one that does not answer.
 */
gboolean hvr_ask(const HvrContext *context, HvrVm *vm, const HvrRequest *request,
		 GError **error) G_GNUC_WARN_UNUSED_RESULT;
