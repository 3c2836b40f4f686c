/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How single accelerators are treated is in this table alone. Beside it, the Hailo-8 is the card of
 * a profile and of setup that name none, and `test` looks for its vendor: what it runs in a guest
 * by itself are Hailo's programs.
 *
 * The Hailo-8's reset methods are emptied because its maker says so: with "flr bus" the host may
 * freeze when a guest starts. What an empty list stops are the function's own resets; a reset of
 * the bus does not ask it. With the host's resets off, the firmware may still be running when the
 * guest's driver comes: from 4.20 on it asks the card to reset itself, before it gave up.
 *
 * The Hailo-8L has the Hailo-8's ID: only its firmware tells them apart; Hailo's driver called the
 * Hailo-10H a Hailo-15 up to 4.19. For the others nothing is known that needs another treatment
 * than the kernel's. Nor of Google's Coral (1ac1:089a), which has no row therefore: what is
 * reported of it in VMs is an MSI-X table in one page with other registers
 * (google-coral/libedgetpu#48), no reset.
 *
 * The second table is Linux' own (pci_dev_reset_methods in its drivers/pci/quirks.c): NVMe disks
 * that a plain FLR leaves unusable, with the words of the commits that put them there. There the
 * kernel's "device_specific" comes before "flr", unless a profile's list or an older kernel leaves
 * it out.
 */
#include "vfio/quirks.h"

/* clang-format off */
static const HvrQuirk quirks[] = {
	{ .vendor = 0x1e60, .device = 0x2864, .name = "Hailo-8 AI accelerator",
	  .reset_method = "" },
	{ .vendor = 0x1e60, .device = 0x45c4, .name = "Hailo-10H AI accelerator" },
	{ .vendor = 0x1e60, .device = 0x43a2, .name = "Hailo-15L AI accelerator" },
	{ .vendor = 0x1e60, .device = 0x26a2, .name = "Hailo Mars AI accelerator" },
};

#define FROZEN "a disk that its guest has shut down is frozen after one"
#define EARLY  "the disk does not get ready when its driver comes too soon after one"

static const HvrResetCare cares[] = {
	/* "PCI: Disable Samsung SM951/PM951 NVMe before FLR", 5.14 */
	{ .vendor = 0x144d, .device = 0xa802, .name = "Samsung SM951 or PM951", .why = FROZEN },
	/* "PCI: Disable Samsung SM961/PM961 NVMe before FLR", ffb0863426eb */
	{ .vendor = 0x144d, .device = 0xa804, .name = "Samsung SM961 or PM961", .why = FROZEN },
	/* "PCI: Delay after FLR of Intel DC P3700 NVMe"; of the P4510 and the P44 Pro as well, 6.5 */
	{ .vendor = 0x8086, .device = 0x0953, .name = "Intel DC P3700", .why = EARLY },
	{ .vendor = 0x8086, .device = 0x0a54, .name = "Intel DC P4510", .why = EARLY },
	{ .vendor = 0x025e, .device = 0xf1ac, .name = "Solidigm P44 Pro", .why = EARLY },
};
/* clang-format on */

const HvrQuirk *hvr_quirk_find(guint16 vendor, guint16 device)
{
	for (gsize i = 0; i < G_N_ELEMENTS(quirks); i++)
		if (quirks[i].vendor == vendor && quirks[i].device == device)
			return &quirks[i];

	return NULL;
}

const HvrResetCare *hvr_reset_care_find(guint16 vendor, guint16 device)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cares); i++)
		if (cares[i].vendor == vendor && cares[i].device == device)
			return &cares[i];

	return NULL;
}
