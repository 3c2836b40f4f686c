/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/vm.h"
#include "launcher/session/shutdown.h"

typedef struct {
	guint whole_ms; /* until QEMU is killed */
	gboolean force; /* the guest is not asked */
} HvrStopHow;

/* What it came to. */
typedef struct {
	HvrShutdownStage by; /* what it took; HVR_SHUTDOWN_NONE: nobody says */
	gboolean was_dead;   /* QEMU had ended, and nobody had given back */
	guint took_ms;	     /* until all was over */
} HvrStopped;

/**
 * hvr_stop - end a VM in the time that it was given, whoever answers for it, and however deaf that
 * is: at the end of the time QEMU is killed. What the kernel needs to end it and to give its cards
 * back comes on top.
 *
 *   its supervisor is asked, and continued where a signal has stopped it
 *   it does not answer: it is killed
 *   there is none: this process stands in for it: power button, quit, SIGKILL, give back
 *
 * @vm: its record; its processes may be gone
 * @out_stopped: filled in also on failure, as far as it came
 * At a terminal it shows at which stage it is (progress.h). Signals: as hvr_ask()
 * Errors: HVR_STATUS_ERROR: what the supervisor answered, such as a card that could not be given
 * back; HVR_LAUNCH_ERROR_PERMISSION, _BUSY: of hvr_rouse_end(); of hvr_stand_in() and
 * hvr_stand_in_finish()
 */
gboolean hvr_stop(const HvrContext *context, const HvrVm *vm, const HvrStopHow *how,
		  HvrStopped *out_stopped, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What came of it: "powered off in 4 s", "had to be killed: neither the guest nor QEMU ended within
 * 30 s". [transfer full] */
char *hvr_stopped_describe(const HvrStopped *stopped,
			   const HvrStopHow *how) G_GNUC_WARN_UNUSED_RESULT;
