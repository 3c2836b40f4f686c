/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/context.h"
#include "launcher/session/vm.h"

/* The end of a VM whose QEMU has ended or never started, by whoever answers for it. */

/**
 * hvr_ending_give_back - what the VM still has goes back to the host, or stays on vfio-pci where
 * its device says `after = keep`. The caller holds the groups' locks.
 * Errors: of hvr_giveback(); what is not finished stays in the journal.
 */
gboolean hvr_ending_give_back(const HvrContext *context, const HvrVm *vm, GError **error);

/**
 * hvr_ending_finish - give back, remove vms/NAME, then release every lock: whoever waits for a
 * card, or for the VM's name, finds all of it done.
 * @locks: of HvrLock, the groups' and the VM's; released and taken out
 */
gboolean hvr_ending_finish(const HvrContext *context, const HvrVm *vm, GPtrArray *locks,
			   GError **error);
