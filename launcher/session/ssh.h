/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/vm.h"

/* How ssh goes into a VM. Nothing is owned. */
typedef struct {
	/* NULL-terminated: options of ssh's, and a command behind them */
	char **arguments;
	gboolean terminal; /* the command has one */
	const char *user;  /* (nullable): of the guest, in place of the profile's */
} HvrSshWish;

/**
 * hvr_ssh_argv - ssh's words for a VM that has a port for it. Pure.
 *
 * No host key is kept or compared, and the caller's known_hosts is neither read nor written: the
 * way into the VM ends on this host, at a port that its QEMU has open, so who answers is known from
 * the kernel; and the guest's key is the guest's own business, which a disk that is thrown away
 * changes with each start. The port counts more than what @wish says, and what it says more than
 * all else.
 * Returns: (transfer full): of char *, NULL-terminated
 */
GPtrArray *hvr_ssh_argv(const HvrVm *vm, const HvrSshWish *wish) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_ssh_become - become ssh, by sudo as who called it. Returns only when that failed.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: nothing leads to the guest's port 22, or not to this VM, or
 * there is no ssh; _PERMISSION
 */
void hvr_ssh_become(const HvrContext *context, const HvrVm *vm, const HvrSshWish *wish,
		    GError **error);
