/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* Of an AHCI, ICH9's, the machine's own or one more (hw/ide/ich.c). */
#define HVR_AHCI_PORTS 6

/**
 * HvrMachine - a machine of QEMU's that a VM can be, and all that differs from one to the next.
 * Where a card goes on it is a pcie-root-port: those are packed eight to a slot of the root bus.
 */
typedef struct {
	const char *name;	  /* QEMU's, for its newest version */
	const char *versions;	  /* what the names of the single versions begin with */
	const char *binary;	  /* the QEMU that has it, where [qemu] binary is not given */
	const char *binary_rhel;  /* the same QEMU's name where RHEL has it, in no PATH */
	const char *architecture; /* as QEMU's firmware descriptors call it */
	const char *root_bus;	  /* the bus that ports sit on */
	guint first_slot;	  /* the first slot of that bus that QEMU deals out, */
	guint last_slot;	  /* and the last: it has nothing of its own in between */
	guint ports_slot;	  /* the first slot for ports; further ones follow */
	guint iommu_slot;	  /* where a virtio-iommu goes, out of the way of both */
	const char *sata_bus;	  /* what the names of its own SATA ports begin with, */
	guint sata_ports;	  /* and how many there are: a port takes one drive; */
	const char *sata_device;  /* a controller with as many more, which takes a slot */
	const char *serial;	  /* device of the first serial port */
	const char *screen;	  /* device that shows something without a driver */
	const char *panic;	  /* device by which a guest tells that its kernel has panicked */
	const char *no_s3;	  /* -global that keeps a guest from sleeping */
} HvrMachine;

/* The slots that a port may be fixed in, on any machine: before those for ports. */
#define HVR_MACHINE_FIXED_MIN 0x01
#define HVR_MACHINE_FIXED_MAX 0x0f

/* How many ports are there for cards that come later. */
#define HVR_MACHINE_SPARE_PORTS 4

/* What a VM is that does not say, and the program that has it: both are in the table. */
#define HVR_MACHINE_DEFAULT	   "q35"
#define HVR_MACHINE_DEFAULT_BINARY "qemu-system-x86_64"

/* The machine that @name is, or is a version of; NULL: it is none that a VM can be. */
const HvrMachine *hvr_machine_find(const char *name);

/* Why @name is none: "has no PCI Express slots". Static. */
const char *hvr_machine_refusal(const char *name);
