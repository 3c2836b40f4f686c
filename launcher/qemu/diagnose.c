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
	const char *and_needle; /* beside it; NULL: the first is enough */
	const char *meaning;
} Diagnosis;

static const Diagnosis diagnoses[] = {
	{ .needle = "VFIO_MAP_DMA",
	  .and_needle = "Cannot allocate memory",
	  .meaning = "QEMU may not lock enough memory: raise the memory lock limit (ulimit -l) "
		     "above the guest's RAM, or give the VM less memory" },
	{ .needle = "is not viable",
	  .meaning = "a driver of the host still has a device of that IOMMU group: hailo-vm-run "
		     "check names it" },
	{ .needle = "No interrupt remapping",
	  .meaning = "this host cannot remap interrupts: enable it (VT-d or AMD-Vi with interrupt "
		     "remapping) in the firmware setup" },
	{ .needle = "failed to setup container",
	  .and_needle = "Operation not permitted",
	  .meaning = "the host's IOMMU cannot isolate interrupts, or a driver of the host still "
		     "has a device of the group: see the kernel's log (dmesg)" },
	{ .needle = "/dev/vfio/vfio",
	  .and_needle = "Permission denied",
	  .meaning = "the VFIO container node is closed to the VM's user: chmod 0666 "
		     "/dev/vfio/vfio (systemd 254.0 makes it 0600)" },
	{ .needle = "/dev/vfio/",
	  .and_needle = "Permission denied",
	  .meaning = "the IOMMU group's node does not belong to the VM's user: a udev rule may "
		     "have taken it back" },
	{ .needle = "/dev/vfio/",
	  .and_needle = "Device or resource busy",
	  .meaning = "another process has this IOMMU group open: one VM at a time" },
	{ .needle = "/dev/vfio/",
	  .and_needle = "No such file or directory",
	  .meaning = "the card is no longer on vfio-pci" },
	{ .needle = "no iommu_group found",
	  .meaning = "the card has no IOMMU group: the IOMMU is off, see hailo-vm-run check" },
	{ .needle = "failed to set iommu for container",
	  .meaning = "the IOMMU refused the group: reserved memory of the firmware (RMRR) or "
		     "missing interrupt remapping; see the kernel's log (dmesg)" },
	{ .needle = "Could not access KVM kernel module",
	  .meaning = "KVM does not work here: set accel = tcg, or enable virtualisation in the "
		     "firmware" },
	{ .needle = "failed to set MSR",
	  .meaning = "KVM is there but broken (a VM without nested virtualisation?): set accel = "
		     "tcg" },
	{ .needle = "cannot set up guest memory",
	  .meaning = "this host does not have that much memory free: give the VM less" },
	{ .needle = "Failed to get \"write\" lock",
	  .meaning = "another QEMU uses this disk image: end that VM, or set snapshot = yes" },
	{ .needle = "Could not set up host forwarding rule",
	  .meaning = "the host's port is in use: choose another in [net] forward" },
	{ .needle = "Image is not in qcow2 format",
	  .meaning = "the disk is no qcow2 image: set format = raw" },
	{ .needle = "vhost_backend_init failed",
	  .meaning = "the virtiofsd of a [share] ended before QEMU could use it: its own words, if "
		     "any, are above; via = 9p does without" },
	{ .needle = "not found",
	  .and_needle = "vfio-pci",
	  .meaning = "this QEMU is built without vfio-pci" },
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
