/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/worker.h"
#include "launcher/session/session.h"

/**
 * HvrHotplug - the devices that come and go while a VM runs.
 *
 * Here a device that has left QEMU (DEVICE_DELETED) goes back to the host, whoever asked for it and
 * however late the guest was. What is done to the host, either way, a worker does: the main loop
 * serves everybody else meanwhile, however long a driver hangs.
 */
typedef struct {
	HvrSession *session;
	guint subscription;
	GPtrArray *returns; /* of HvrReturn: the groups that are on their way back to the host */
	GPtrArray *plugs;   /* of const HvrProfileDevice: the sections that are being plugged in */
	GPtrArray *preparing; /* of HvrWorker: those of them whose cards are being prepared */
} HvrHotplug;

/* @session must outlive it. */
HvrHotplug *hvr_hotplug_new(HvrSession *session);
/* Finishes first. NULL is accepted. */
void hvr_hotplug_free(HvrHotplug *hotplug);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrHotplug, hvr_hotplug_free)

/**
 * hvr_hotplug_finish - before the end of a VM gives everything back: run the main loop until no
 * worker is at any card. What is being given back is finished, what is being prepared is undone,
 * and whoever asked for it is told.
 */
void hvr_hotplug_finish(HvrHotplug *hotplug);

/**
 * hvr_hotplug_unplug - hot-unplug a [device] section with all functions that it brought along,
 * and give them back to the host once their whole IOMMU group has left QEMU.
 * @keep: leave them on vfio-pci
 * @done: told when they are back with the host
 *
 * Errors: HVR_LAUNCH_ERROR_USAGE for a device that the VM does not have; _BUSY while it is on its
 * way in or out; HVR_QMP_ERROR_TIMEOUT: still in the VM, nothing rebound; _REFUSED; _CLOSED: QEMU
 * ended meanwhile; or why giving back failed.
 */
void hvr_hotplug_unplug(HvrHotplug *hotplug, const char *device, guint timeout_ms, gboolean keep,
			HvrSessionDone done, gpointer user_data);

/* For plug.c: */

/* FALSE, with HVR_LAUNCH_ERROR_BUSY, while the section's cards are on their way in or out. */
gboolean hvr_hotplug_check_idle(const HvrHotplug *hotplug, const char *section, GError **error);

/**
 * hvr_hotplug_give_back - give back what this VM has of a group that has left QEMU whole, and drop
 * the group's lock with it, also when that fails, so that `release` can mend it; but not while QEMU
 * has the group open, when the end of the VM is what gives it back.
 * @last: (nullable): the device that left last, for the message; NULL: none was in QEMU
 * @done: told when it is over; never from inside this function
 * Errors: of hvr_giveback()
 */
void hvr_hotplug_give_back(HvrHotplug *hotplug, int group, const HvrVmDevice *last,
			   HvrSessionDone done, gpointer user_data);
