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
 * The Hailo-8L has the Hailo-8's ID: only its firmware tells them apart. For the others nothing is
 * known that needs another treatment than the kernel's.
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
/* clang-format on */

const HvrQuirk *hvr_quirk_find(guint16 vendor, guint16 device)
{
	for (gsize i = 0; i < G_N_ELEMENTS(quirks); i++)
		if (quirks[i].vendor == vendor && quirks[i].device == device)
			return &quirks[i];

	return NULL;
}
