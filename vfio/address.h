/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrPciAddress - domain:bus:slot.function of one PCI function.
 * The domain has 4 to 8 hexadecimal digits: VMD and Hyper-V use more than 16 bits.
 */
typedef struct {
	guint32 domain;
	guint8 bus;
	guint8 slot;	 /* 0 to 31 */
	guint8 function; /* 0 to 7 */
} HvrPciAddress;

/* Bytes for a formatted address with its NUL: "ffffffff:ff:1f.7". */
#define HVR_PCI_ADDRESS_SIZE 17

/**
 * hvr_pci_address_parse - read "02:00.0" or "0000:02:00.0", hexadecimal, either case.
 * Returns: FALSE, with @out_address untouched, for anything else, trailing text included.
 */
gboolean hvr_pci_address_parse(const char *text, HvrPciAddress *out_address);

/**
 * hvr_pci_address_format - the kernel's spelling: lower case, domain of at least 4 digits.
 * Returns: @buffer
 */
const char *hvr_pci_address_format(const HvrPciAddress *address, char buffer[HVR_PCI_ADDRESS_SIZE]);

/* For sorting: by domain, bus, slot, function. */
int hvr_pci_address_compare(const HvrPciAddress *a, const HvrPciAddress *b);

/**
 * hvr_pci_path_normalise - check and normalise a stable path such as "00:1c.4/00.0".
 *
 * A stable path names a function by the slots between it and its root bus, so it survives bus
 * renumbering: first an address on the root bus ("[DOMAIN:]BUS:SLOT.FUNCTION", the domain only
 * where it is not 0), then SLOT.FUNCTION for every bus below.
 *
 * Returns: (transfer full): the path in lower case as HvrPciFunction.path has it, or NULL when
 * @text is no such path.
 */
char *hvr_pci_path_normalise(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_pci_path_from_sysfs - the stable path of "devices/pci0000:00/0000:00:1c.4/0000:02:00.0".
 * @target: a function's place in sysfs; only its last components that are PCI addresses and the
 *          "pciDDDD:BB" before them are looked at (VMD nests a second root)
 * Returns: (transfer full): or NULL when @target does not end in PCI addresses.
 */
char *hvr_pci_path_from_sysfs(const char *target) G_GNUC_WARN_UNUSED_RESULT;
