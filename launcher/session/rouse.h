/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/vm.h"

/**
 * HvrRouse - a supervisor that is stopped (Ctrl-Z, a job of the background that reads its terminal,
 * SIGSTOP, a debugger), as who wants something of it has it. It would answer nobody.
 */
typedef struct {
	const HvrContext *context;
	const HvrVm *vm; /* its record; NULL: nobody is known, and nobody is roused */
	guint tries;	 /* what was done so far; 0 at first */
} HvrRouse;

typedef enum {
	HVR_ROUSE_AWAKE,   /* it was not stopped, or is not there */
	HVR_ROUSE_AGAIN,   /* it was, and goes on now; or will be tried once more */
	HVR_ROUSE_IN_VAIN, /* it is stopped: we may not, or it was stopped again each time */
} HvrRoused;

/**
 * hvr_rouse - look whether it is stopped, and have it go on (SIGCONT), which a message tells the
 * first time. Its pid counts only with the start time that the record has.
 */
HvrRoused hvr_rouse(HvrRouse *rouse);

/**
 * hvr_rouse_end - end the supervisor of @vm that cannot be roused, so that somebody else can answer
 * for the VM: what it has of locks is free then, and the journal says what is to be given back.
 * Where its QEMU has ended and it is not stopped, it is giving back: then it is waited for.
 *
 * Errors: HVR_LAUNCH_ERROR_PERMISSION: it is somebody else's; _BUSY: the kernel is not done with
 * it. In both cases it is as it was, or will end.
 */
gboolean hvr_rouse_end(const HvrContext *context, const HvrVm *vm,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_rouse_wait - run the main loop until the process of a pidfd has ended.
 * Returns: FALSE: not within @ms
 */
gboolean hvr_rouse_wait(int pidfd, guint ms);
