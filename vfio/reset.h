/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/guard.h"
#include "vfio/inventory.h"

/* When a VM's card is reset by who runs it. */
typedef enum {
	HVR_RESET_AT_START = 1 << 0,  /* QEMU's machine reset, and its hot-add of a card */
	HVR_RESET_AT_REBOOT = 1 << 1, /* of the guest, or system_reset */
	HVR_RESET_AT_CLOSE = 1 << 2,  /* the last descriptor closes: unplug, and QEMU's end */
} HvrResetMoment;
#define HVR_RESET_ALWAYS (HVR_RESET_AT_START | HVR_RESET_AT_REBOOT | HVR_RESET_AT_CLOSE)

/**
 * HvrResets - which resets VFIO and QEMU can have reach a card while a VM has it.
 *
 * An empty reset_method disables function resets only. vfio-pci and QEMU then fall back to a reset
 * of the whole secondary bus, which does not look at reset_method (pci_reset_bus() in
 * drivers/pci/pci.c, 6.1 to 7.2): at QEMU's machine reset (start, guest reboot, system_reset,
 * hot-plug), through VFIO_DEVICE_PCI_HOT_RESET, and when the last descriptor of the device closes
 * (unplug, QEMU's end), in vfio_pci_core_disable(). Measured on 6.1, 6.12 and 7.2: untouched
 * "flr bus" 3 FLRs and no bus reset in a start and an end; emptied, no FLR and 2 bus resets.
 * Beside a function reset the one of the bus is what happens when it fails, and what QEMU prefers
 * to "pm" on a card without FLR (vfio_pci_reset() in its hw/vfio/pci.c).
 *
 * What the host does by itself is not in it: errors of the link, power that goes away, root's hand.
 */
typedef struct {
	gboolean known;	      /* FALSE: the kernel does not tell, and the worst is assumed */
	gboolean guarded;     /* the guard module keeps bus resets away, or will */
	gboolean guard_comes; /* it will: it is loaded before a VM has the card */
	guint function;	      /* set of moments at which a reset of the function can reach it */
	guint bus;	      /* ... at which one of its whole bus can */
} HvrResets;

/* What is judged. */
typedef struct {
	const HvrPciFunction *function;
	/* The methods that the kernel offered before anything was changed: "bus" among them says
	 * that a bus reset is possible; its absence on a card that was alone on its bus says that
	 * it is not (PCI_DEV_FLAGS_NO_BUS_RESET). NULL or "": not known. */
	const char *original;
	const char *left;     /* the methods while the VM runs; NULL: there is no reset_method */
	gboolean alone;	      /* hvr_reset_alone_on_bus() */
	gboolean apart;	      /* hvr_reset_is_apart() */
	gboolean guarded;     /* hvr_guard_keeps() */
	gboolean guard_comes; /* not yet, but the module is loaded before a VM has it */
} HvrResetFacts;

/* Judges from facts, in favour of what is not known. Pure. */
HvrResets hvr_resets_reach(const HvrResetFacts *facts);

/* The same as one sentence for people. @left: of the facts. [transfer full] */
char *hvr_resets_describe(const HvrResets *resets, const char *left) G_GNUC_WARN_UNUSED_RESULT;

/* Is @method one of @methods, separated by blanks? @methods: (nullable): none */
gboolean hvr_reset_has(const char *methods, const char *method);
/* Is a reset of the bus among @methods, separated by blanks? */
gboolean hvr_reset_by_bus(const char *methods);
/* Is there one among @methods that resets the function alone? */
gboolean hvr_reset_by_function(const char *methods);

/* Does the VM that has the card, or will have it, have @other as well? */
typedef gboolean (*HvrResetHas)(const HvrPciFunction *other, gconstpointer data);

/**
 * hvr_reset_is_apart - does the card share its bus with a function of another IOMMU group, which
 * the VM does not have? Then QEMU cannot reset the bus, at no start and no reboot: VFIO wants to
 * see the groups of all that such a reset would reach (vfio_pci_dev_set_hot_reset() in Linux's
 * drivers/vfio/pci/vfio_pci_core.c, 6.1 to 7.2). At the last close the kernel asks for no group,
 * only whether VFIO has them all (vfio_pci_dev_set_try_reset() there), which may come about.
 */
gboolean hvr_reset_is_apart(const HvrInventory *inventory, const HvrPciFunction *function,
			    HvrResetHas has, gconstpointer data);

/* Is no other function of @inventory on the same bus? */
gboolean hvr_reset_alone_on_bus(const HvrInventory *inventory, const HvrPciFunction *function);
