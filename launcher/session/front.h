/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "launcher/session/detach.h"
#include "launcher/session/run-options.h"

/**
 * HvrFront - the process that a shell has of a `run` at its terminal. The VM's supervisor is
 * another one, with which it is joined by a socket: the guest's serial port. So what the shell does
 * to its job - stops it, kills it, leaves it in the background - is done to the front alone.
 */
typedef struct {
	HvrDetached supervisor;
	int socket;
} HvrFront;

/* Is there a terminal with which the guest's serial port is to be joined? A service manager that
 * waits to be told (Type=notify) knows the process that it started, and no other. */
gboolean hvr_front_is_wanted(const HvrProfile *profile);

/**
 * hvr_front_fork - as hvr_detach_fork(): the child is to supervise.
 * @how: in the child: .ready_fd and .front are set, for hvr_run()
 * @out_front: in the parent: for hvr_front_stay()
 */
int hvr_front_fork(const HvrContext *context, HvrRunOptions *how, HvrFront *out_front,
		   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_front_stay - until QEMU runs, wait; then the terminal is the guest's, but for Ctrl-] (see
 * escape.h), until the supervisor ends, or the VM is left to it. Termination signals are passed on
 * to the supervisor. The terminal is put back in any case.
 * @front: what it has is closed
 * @vm: the VM's name
 * Returns: the exit status: the supervisor's (128 + N: signal N ended it), 0 when it was left
 */
int hvr_front_stay(HvrContext *context, HvrFront *front, const char *vm);
