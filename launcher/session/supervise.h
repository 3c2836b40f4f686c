/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/host/decide.h"
#include "launcher/qemu/start.h"
#include "launcher/runtime/vm.h"
#include "launcher/session/run-options.h"
#include "vfio/kmsg.h"

/* A QEMU that runs, and what it was started from. Borrowed, where nothing is said. */
typedef struct {
	const HvrContext *context;
	const HvrProfile *profile;
	const HvrRunOptions *options;
	HvrDecision *decision; /* the locks of its claim become the session's */
	HvrStarted *started;   /* its descriptors too */
	HvrVm *vm;	       /* (transfer full): the record */
	int folder;	       /* (transfer full): vms/NAME */
	HvrKmsg *kmsg;	       /* (nullable): open since before QEMU */
} HvrSupervise;

/**
 * hvr_supervise - from a running QEMU to a host that is as it was: stays until QEMU has ended,
 * serves its users meanwhile, and gives the cards back. The VM's folder is gone then. Errors: how
 * QEMU ended, see hvr_verdict(); why its cards could not be given back
 */
gboolean hvr_supervise(const HvrSupervise *run, GError **error);
