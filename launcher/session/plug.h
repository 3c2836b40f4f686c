/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/claim.h"
#include "launcher/session/hotplug.h"

/**
 * hvr_plug - prepare a [device] of the profile again and hot-plug it.
 * @done: told when QEMU has it, and the lock of its group
 *
 * Errors: HVR_LAUNCH_ERROR_USAGE for a device that the profile does not have or the VM has already;
 * _BUSY while it is on its way in or out; _UNAVAILABLE when QEMU has ended, or somebody has had
 * it end; as hvr_decide(),
 * hvr_execute(), and QEMU's. Then the host has the card again, unless QEMU has its group open all
 * the same: such a card counts as in the VM.
 */
void hvr_plug(HvrHotplug *hotplug, const char *device, HvrSessionDone done, gpointer user_data);

/* Cards that are prepared for this VM and journalled. */
typedef struct {
	const HvrClaim *claim;	 /* borrowed */
	gboolean qemu_has_locks; /* of their groups, from its start on */
} HvrPlugLate;

/* hvr_plug_late - the same of cards that are prepared already. */
void hvr_plug_late(HvrHotplug *hotplug, const char *device, const HvrPlugLate *late,
		   HvrSessionDone done, gpointer user_data);
