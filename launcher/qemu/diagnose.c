/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's words -> what they mean here. First match wins, so the particular stands before the
 * general. The texts are those of QEMU 7.2 to 10.0 (hw/vfio/, softmmu/ and system/).
 */
#include "launcher/qemu/diagnose.h"

#include <glib.h>
#include <string.h>

typedef struct {
	const char *needle;
	const char *and_needle; /* NULL: the first is enough */
	const char *meaning;
} Diagnosis;

static const Diagnosis diagnoses[] = {
	{ "VFIO_MAP_DMA", "Cannot allocate memory",
	  "QEMU may not lock enough memory: raise the memory lock limit (ulimit -l) above the "
	  "guest's RAM, or give the VM less memory" },
	{ "is not viable", NULL,
	  "a driver of the host still has a device of that IOMMU group: hailo-vm-run check names "
	  "it" },
	{ "No interrupt remapping", NULL,
	  "this host cannot remap interrupts: enable it (VT-d or AMD-Vi with interrupt remapping) "
	  "in the firmware setup" },
	{ "failed to setup container", "Operation not permitted",
	  "the host's IOMMU cannot isolate interrupts, or a driver of the host still has a device "
	  "of the group: see the kernel's log (dmesg)" },
	{ "/dev/vfio/vfio", "Permission denied",
	  "the VFIO container node is closed to the VM's user: chmod 0666 /dev/vfio/vfio (systemd "
	  "254.0 makes it 0600)" },
	{ "/dev/vfio/", "Permission denied",
	  "the IOMMU group's node does not belong to the VM's user: a udev rule may have taken it "
	  "back" },
	{ "/dev/vfio/", "Device or resource busy",
	  "another process has this IOMMU group open: one VM at a time" },
	{ "/dev/vfio/", "No such file or directory", "the card is no longer on vfio-pci" },
	{ "no iommu_group found", NULL,
	  "the card has no IOMMU group: the IOMMU is off, see hailo-vm-run check" },
	{ "failed to set iommu for container", NULL,
	  "the IOMMU refused the group: reserved memory of the firmware (RMRR) or missing "
	  "interrupt remapping; see the kernel's log (dmesg)" },
	{ "Could not access KVM kernel module", NULL,
	  "KVM does not work here: set accel = tcg, or enable virtualisation in the firmware" },
	{ "failed to set MSR", NULL,
	  "KVM is there but broken (a VM without nested virtualisation?): set accel = tcg" },
	{ "cannot set up guest memory", NULL,
	  "this host does not have that much memory free: give the VM less" },
	{ "Failed to get \"write\" lock", NULL,
	  "another QEMU uses this disk image: end that VM, or set snapshot = yes" },
	{ "Could not set up host forwarding rule", NULL,
	  "the host's port is in use: choose another in [net] forward" },
	{ "Image is not in qcow2 format", NULL, "the disk is no qcow2 image: set format = raw" },
	{ "vhost_backend_init failed", NULL,
	  "the virtiofsd of a [share] ended before QEMU could use it: its own words, if any, are "
	  "above; via = 9p does without" },
	{ "not found", "vfio-pci", "this QEMU is built without vfio-pci" },
};

const char *hvr_diagnose(const char *line)
{
	for (guint i = 0; i < G_N_ELEMENTS(diagnoses); i++) {
		const Diagnosis *diagnosis = &diagnoses[i];
		if (strstr(line, diagnosis->needle) &&
		    (!diagnosis->and_needle || strstr(line, diagnosis->and_needle)))
			return diagnosis->meaning;
	}
	return NULL;
}
