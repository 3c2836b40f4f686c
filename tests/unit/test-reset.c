/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which resets can still reach a card: no promise that the kernel does not keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/reset.h"

/* From where it sits, what the kernel offered, what is left, and whether it is alone. */
static void test_reach(void **state)
{
	static const struct {
		const char *path, *original, *left;
		gboolean alone;
		HvrResetReach reach;
	} cases[] = {
		{ "00:1c.4/00.0", "flr bus", "", TRUE, HVR_RESET_BUS },
		{ "00:1c.4/00.0", "flr bus", "", FALSE, HVR_RESET_BUS },
		{ "00:1c.4/00.0", "flr bus", "flr bus", TRUE, HVR_RESET_FUNCTION },
		{ "00:1c.4/00.0", "flr bus", "bus", TRUE, HVR_RESET_FUNCTION },
		{ "00:1c.4/00.0", "flr", "", TRUE, HVR_RESET_NONE },
		/* Beside others "bus" is never offered, so that it is not says nothing. */
		{ "00:1c.4/00.0", "flr", "", FALSE, HVR_RESET_BUS },
		{ "00:1c.4/00.0", NULL, "", TRUE, HVR_RESET_BUS },
		{ "00:1c.4/00.0", "", "", TRUE, HVR_RESET_BUS },
		{ "00:1c.4/00.0", "flr bus", NULL, TRUE, HVR_RESET_BUS },
		{ "00:1c.4/00.0", "flr busy", "", TRUE, HVR_RESET_NONE },
		{ "00:05.0", "flr", "", TRUE, HVR_RESET_NONE },
		{ "00:05.0", "pm", "pm", TRUE, HVR_RESET_FUNCTION },
		{ NULL, "flr bus", "", TRUE, HVR_RESET_NONE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrPciFunction function = { .path = (char *)cases[i].path };
		HvrResetReach reach = hvr_reset_reach(&function, cases[i].original, cases[i].left,
						      cases[i].alone);
		if (reach != cases[i].reach)
			fail_msg("case %u: %d", i, reach);
	}
}

/* One sentence each, and the methods that are left by name. */
static void test_describe(void **state)
{
	g_autofree char *none = hvr_reset_describe(HVR_RESET_NONE, "");
	g_autofree char *bus = hvr_reset_describe(HVR_RESET_BUS, "");
	g_autofree char *some = hvr_reset_describe(HVR_RESET_FUNCTION, "flr pm");

	assert_string_equal(none, "no reset can reach it");
	assert_non_null(strstr(bus, "function resets are off; bus resets still reach it"));
	assert_non_null(strstr(some, "function resets (flr pm) reach it"));
}

/* A sibling on the bus, of whatever kind, is company; the same bus of another domain is not. */
static void test_alone(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	const FakeFunction other = { .parent = "0000:00:1c.5", .vendor = 0x8086, .group = 20 };
	const FakeFunction far = { .vendor = 0x8086, .group = 21 };
	const HvrPciAddress alone = { .bus = 2 }, beside = { .bus = 3 };

	fake_sysfs_add_hailo8(fs, "0000:00:1c.4", "0000:02:00.0", 14, 0);
	fake_sysfs_add_hailo8(fs, "0000:00:1c.5", "0000:03:00.0", 15, 1);
	fake_sysfs_add_function(fs, "0000:03:00.1", &other);
	fake_sysfs_add_function(fs, "0001:02:00.0", &far);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	assert_true(hvr_reset_alone_on_bus(inventory, hvr_inventory_find(inventory, &alone)));
	assert_false(hvr_reset_alone_on_bus(inventory, hvr_inventory_find(inventory, &beside)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
