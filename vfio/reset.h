/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/inventory.h"

/**
 * HvrResetReach - which resets can reach a card while a VM has it.
 *
 * An empty reset_method disables function resets only. vfio-pci and QEMU then fall back to a reset
 * of the whole secondary bus, which does not look at reset_method (pci_reset_bus() in
 * drivers/pci/pci.c, 6.1 to 7.2): at QEMU's machine reset (start, guest reboot, system_reset,
 * hot-plug), through VFIO_DEVICE_PCI_HOT_RESET, and when the last descriptor of the device closes
 * (unplug, QEMU's end), in vfio_pci_core_disable(). Measured on 6.1, 6.12 and 7.2: untouched
 * "flr bus" 3 FLRs and no bus reset in a start and an end; emptied, no FLR and 2 bus resets.
 */
typedef enum {
	HVR_RESET_NONE,	    /* none that VFIO or QEMU could cause */
	HVR_RESET_BUS,	    /* bus resets, at start, guest reboot and end */
	HVR_RESET_FUNCTION, /* function resets, by the methods that are left */
} HvrResetReach;

/**
 * hvr_reset_reach - judge it from facts. Pure; the kernel's answer is in @original.
 * @original: the methods that the kernel offered before anything was changed: "bus" among them
 *            says that a bus reset is possible; its absence on a card alone on its bus says that
 *            it is not (PCI_DEV_FLAGS_NO_BUS_RESET). NULL or "": not known.
 * @left: the methods that are left while the VM runs
 * @alone: is the function alone on its bus?
 */
HvrResetReach hvr_reset_reach(const HvrPciFunction *function, const char *original,
			      const char *left, gboolean alone);

/* The same as one sentence for people. [transfer full] */
char *hvr_reset_describe(HvrResetReach reach, const char *left) G_GNUC_WARN_UNUSED_RESULT;

/* Is no other function of @inventory on the same bus? */
gboolean hvr_reset_alone_on_bus(const HvrInventory *inventory, const HvrPciFunction *function);
