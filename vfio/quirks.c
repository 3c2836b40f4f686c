/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that is known of single accelerators is this table: nothing else in the program asks for a
 * vendor or a device.
 *
 * The Hailo-8 gets no function-level reset: its firmware lives in the card's RAM, and an FLR
 * leaves the guest's driver in front of a card that it can no longer talk to. Drivers before
 * 4.20 cannot reload a firmware that is running already, and it is running when no reset came
 * before.
 *
 * The Hailo-8L has the Hailo-8's ID: only its firmware tells them apart. For the others nothing is
 * known that needs another treatment than the kernel's.
 */
#include "vfio/quirks.h"

#define KIB 1024u

/* clang-format off */
static const HvrQuirk quirks[] = {
	{ .vendor = 0x1e60, .device = 0x2864, .name = "Hailo-8 AI accelerator",
	  .reset_method = "", .bar_size = { [0] = 16 * KIB, [2] = 4 * KIB, [4] = 16 * KIB },
	  .guest_driver_min = "4.20.0" },
	{ .vendor = 0x1e60, .device = 0x45c4, .name = "Hailo-10H AI accelerator" },
	{ .vendor = 0x1e60, .device = 0x43a2, .name = "Hailo-15L AI accelerator" },
	{ .vendor = 0x1e60, .device = 0x26a2, .name = "Hailo Mars AI accelerator" },
};
/* clang-format on */

const HvrQuirk *hvr_quirk_find(guint16 vendor, guint16 device)
{
	for (gsize i = 0; i < G_N_ELEMENTS(quirks); i++)
		if (quirks[i].vendor == vendor && quirks[i].device == device)
			return &quirks[i];

	return NULL;
}
