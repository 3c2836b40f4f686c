/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "qmp/client.h"

/*
 * A hot-unplug.
 *
 * device_del only asks: its {} means "requested". The device has left QEMU, its VFIO group is
 * closed and the host may bind another driver, when DEVICE_DELETED arrives whose data.device is
 * that id (QEMU 7.2 and 10.0 send it from device_finalize, after vfio_instance_finalize; events
 * for children come without "device"). On x86 a guest that refuses says nothing for PCI, so only
 * the deadline ends the wait; DEVICE_UNPLUG_GUEST_ERROR is honoured where it exists.
 * The request is repeated every few seconds until the deadline: one that reached a guest before
 * its ACPI or pciehp driver ran is lost. "already in the process of unplug" and "guest is busy"
 * mean pending. Once a request was taken, it stands: whatever QEMU says to a repetition, only the
 * event, the deadline or the end of the connection ends the wait; except that DeviceNotFound then
 * says that the device has left, so its event is awaited for a moment and not until the deadline.
 */

/**
 * HvrQmpUnplugged - the end of one unplug, told exactly once.
 * @error: borrowed. NULL when the device has left QEMU. HVR_QMP_ERROR_TIMEOUT: still in the VM,
 *   though the guest may let go of it at any later time; _REFUSED: the guest said no; _NOT_FOUND:
 *   QEMU has no such device; _REMOTE: QEMU will not do it; _CLOSED, _PROTOCOL: the connection or
 *   QEMU ended (which of the two, the caller must find out).
 *
 * May start another unplug and may drop the client.
 */
typedef void (*HvrQmpUnplugged)(const GError *error, gpointer user_data);

/**
 * hvr_qmp_unplug_start - ask the guest to let go of a device and wait until it has.
 * @id: QEMU's id of the device
 * @timeout_ms: from now; must exceed 0
 *
 * Subscribes before it asks, so no DEVICE_DELETED is missed, and holds a reference to the client
 * until the end. @done is never called from inside this function. Two unplugs of the same device,
 * also on two connections, both end well.
 */
void hvr_qmp_unplug_start(HvrQmpClient *client, const char *id, guint timeout_ms,
			  HvrQmpUnplugged done, gpointer user_data);

/**
 * hvr_qmp_unplug_start_together - the same for one function of a slot, all of which are asked for
 * at once. A guest lets go of a slot whole, at the first word: this one may be gone by the time
 * that QEMU is asked for it, so that "no such device" is never the end of it by itself.
 */
void hvr_qmp_unplug_start_together(HvrQmpClient *client, const char *id, guint timeout_ms,
				   HvrQmpUnplugged done, gpointer user_data);
