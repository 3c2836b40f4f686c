/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/address.h"
#include "vfio/host.h"
#include "vfio/quirks.h"

/**
 * HvrPciFunction - what never changes of a PCI function while it stays plugged in, and the driver
 * and group it had when it was looked at.
 */
typedef struct {
	HvrPciAddress address;
	char name[HVR_PCI_ADDRESS_SIZE]; /* the address as the kernel spells it */
	char *path; /* stable path, see hvr_pci_path_normalise(); NULL: not below a root bus */
	guint16 vendor;
	guint16 device;
	guint32 class_code;    /* 24 bits: base class, subclass, programming interface */
	char *driver;	       /* NULL: none */
	int group;	       /* IOMMU group, -1: none */
	gboolean noiommu;      /* the group is vfio's "no-IOMMU" one: no protection, no QEMU */
	const HvrQuirk *quirk; /* NULL: no known accelerator */
} HvrPciFunction;

/**
 * HvrInventory - all PCI functions of a host at one moment, read once.
 * Enumerated with libpci; drivers and groups are read from sysfs itself.
 */
typedef struct HvrInventory HvrInventory;

/**
 * hvr_inventory_read - look at every PCI function. Changes nothing and wakes no device (config
 * space is not touched). Linear in the number of functions.
 *
 * A function that vanishes meanwhile is left out. Errors: HVR_VFIO_ERROR_NOT_FOUND when there is
 * no PCI bus in /sys; HVR_VFIO_ERROR_KERNEL when libpci cannot make sense of it: its own error
 * handler never ends the process. The inventory does not need @host afterwards.
 */
HvrInventory *hvr_inventory_read(const HvrHost *host, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_inventory_free(HvrInventory *inventory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrInventory, hvr_inventory_free)

/* Every function, of type HvrPciFunction, sorted by address. (transfer none) */
const GPtrArray *hvr_inventory_functions(const HvrInventory *inventory);

/* (transfer none): the function at @address, or NULL. Logarithmic. */
const HvrPciFunction *hvr_inventory_find(const HvrInventory *inventory,
					 const HvrPciAddress *address);

/**
 * hvr_inventory_group - the members of an IOMMU group, sorted by address; bridges included.
 * Returns: (transfer none): an array of HvrPciFunction that lives as long as the inventory; empty
 * for a group that does not exist.
 */
const GPtrArray *hvr_inventory_group(const HvrInventory *inventory, int group);

/**
 * hvr_inventory_describe - vendor and device name from pci.ids, such as
 * "Hailo Technologies Ltd. Hailo-8 AI Processor"; the quirk table's name where there is one.
 * pci.ids is opened at the first name that the quirk table does not have.
 * Returns: (transfer full)
 */
char *hvr_inventory_describe(const HvrInventory *inventory, const HvrPciFunction *function);

/* The same in a few words, for where there is little room: a bridge's class ("PCI bridge"), else
 * the device's name without its vendor's, else the class of what pci.ids does not have. [transfer
 * full] */
char *hvr_inventory_describe_short(const HvrInventory *inventory,
				   const HvrPciFunction *function) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_pci_function_is_bridge - host, ISA, PCI-to-PCI and the other named bridges: never passed.
 * Base class 06, but not 0680 ("other"), which endpoints use that nothing else fits.
 */
gboolean hvr_pci_function_is_bridge(const HvrPciFunction *function);

/**
 * hvr_pci_function_takes_vfio - would vfio-pci take it? Only what has a header of type 0
 * (vfio_pci_core_register_device()): endpoints, and bridges that are none to PCI, such as ISA's.
 */
gboolean hvr_pci_function_takes_vfio(const HvrPciFunction *function);

/**
 * hvr_pci_function_blocks - does this function's driver keep its group from being viable?
 * Linux >= 5.19 refuses a group when a member is on a driver that has not set driver_managed_dma;
 * vfio drivers, pci-stub and pcieport have set it. Unbound functions never block. It is the driver
 * alone that counts: a PCI-to-PCI bridge on pcieport does not block, an ISA bridge on lpc_ich or
 * a bridge on shpchp does.
 */
gboolean hvr_pci_function_blocks(const HvrPciFunction *function);
