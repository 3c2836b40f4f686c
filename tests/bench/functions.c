/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/functions.h"

FakeSysfs *functions_new(guint buses)
{
	FakeSysfs *fs = fake_sysfs_new();

	for (guint i = 0; i < buses * FUNCTIONS_EACH; i++) {
		g_autofree char *name =
			g_strdup_printf("0000:%02x:%02x.0", i / FUNCTIONS_EACH, i % FUNCTIONS_EACH);
		gboolean card = i % (8 * FUNCTIONS_EACH) == 0;
		const FakeFunction function = { .vendor = card ? 0x1e60 : 0x8086,
						.device = card ? 0x2864 : 0x1533,
						.class_code = card ? 0x0b4000 : 0x020000,
						.group = (int)i,
						.driver = card ? "hailo" : "igb",
						.reset_method = "flr bus" };

		fake_sysfs_add_function(fs, name, &function);
	}
	return fs;
}
