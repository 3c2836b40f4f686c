/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* [usb NAME]: devices on this host's USB ports, which QEMU's usb-host passes to the guest. */

/* One that is plugged in. */
typedef struct {
	char *port;	   /* the kernel's name for where it is: "1-2.3" */
	guint bus, device; /* its numbers there, from 1 */
} HvrUsbDevice;
void hvr_usb_device_clear(HvrUsbDevice *device);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrUsbDevice, hvr_usb_device_clear)

/**
 * hvr_usb_find - the device that a section means, by sysfs. Changes nothing.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: none, more than one, a hub, a disk of the host's, or the
 * way of its default route
 */
gboolean hvr_usb_find(const HvrHost *host, const HvrProfileUsb *usb, HvrUsbDevice *out_device,
		      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_usb_check - is each there, and another one, and can the VM's user open its node? No owner of
 * a node is ever changed for it: whose a device on a USB port is, udev says. Errors: of
 * hvr_usb_find(); HVR_LAUNCH_ERROR_PERMISSION
 */
gboolean hvr_usb_check(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Its node, opened for reading and writing as the VM's user, and seen to be that device's.
 * @out_port: (nullable): where it is plugged in, HvrUsbDevice's [transfer full]
 * Returns: a descriptor, or -1 with an error as of hvr_usb_check() */
int hvr_usb_open(const HvrHost *host, const HvrProfileUsb *usb, const HvrUser *user,
		 char **out_port, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Is the character device of this number made of what is plugged in at @port, by sysfs? QEMU takes
 * the host's driver from a device that it passes, and the node goes with that. */
gboolean hvr_usb_makes_node(const HvrHost *host, const char *port, dev_t number);
