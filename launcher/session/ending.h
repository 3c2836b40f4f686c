/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/ended.h"
#include "launcher/runtime/vm.h"

/* The end of a VM whose QEMU has ended or never started, by whoever answers for it. */

/**
 * hvr_ending_give_back - what the VM still has goes back to the host, or stays on vfio-pci where
 * its device says `after = keep`.
 * @locks: of HvrLock, those of the groups that the VM has. What else it has in the journal (a card
 *	   that left it and could not be given back then) is locked for this, or, where somebody
 *	   else is at it, left to them.
 * Errors: of hvr_giveback(); what is not finished stays in the journal.
 */
gboolean hvr_ending_give_back(const HvrContext *context, const HvrVm *vm, const GPtrArray *locks,
			      GError **error);

/**
 * hvr_ending_finish - give back, put vms/NAME away (hvr_ended_keep()), then give up every lock:
 * whoever waits for a card, or for the VM's name, finds all of it done.
 * @how: how it ended; what could not be given back is added to it
 * @locks: of HvrLock, the groups' and the VM's; given up and taken out
 */
gboolean hvr_ending_finish(const HvrContext *context, const HvrVm *vm, const HvrEndedHow *how,
			   GPtrArray *locks, GError **error);
