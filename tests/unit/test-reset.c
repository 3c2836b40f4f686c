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

#define FUNCTION   HVR_RESET_ALWAYS, 0
#define BUS	   0, HVR_RESET_ALWAYS
#define BOTH	   HVR_RESET_ALWAYS, HVR_RESET_ALWAYS
#define NONE	   0, 0
#define BELOW_PORT .path = (char *)"00:1c.4/00.0"

/* From where it sits, what the kernel offered, what is left, and whether it is alone or guarded. */
static void test_reach(void **state)
{
	static const struct {
		const char *path, *original, *left;
		gboolean alone, guarded;
		guint function, bus;
	} cases[] = {
		{ "00:1c.4/00.0", "flr bus", "", TRUE, FALSE, BUS },
		{ "00:1c.4/00.0", "flr bus", "", FALSE, FALSE, BUS },
		/* Where a function reset fails, the bus is next. */
		{ "00:1c.4/00.0", "flr bus", "flr bus", TRUE, FALSE, BOTH },
		{ "00:1c.4/00.0", "flr pm bus", "pm", TRUE, FALSE, BOTH },
		{ "00:1c.4/00.0", "flr bus", "bus", TRUE, FALSE, BUS },
		{ "00:1c.4/00.0", "cxl_bus", "cxl_bus", FALSE, FALSE, BUS },
		/* Beside others "bus" is never offered, so that it is not says nothing. */
		{ "00:1c.4/00.0", "flr", "", FALSE, FALSE, BUS },
		{ "00:1c.4/00.0", NULL, "", TRUE, FALSE, BUS },
		{ "00:1c.4/00.0", "", "", TRUE, FALSE, BUS },
		{ "00:05.0", "flr", "", TRUE, FALSE, NONE },
		{ "00:05.0", "pm", "pm", TRUE, FALSE, FUNCTION },
		/* Of one whose way is not known it is not known either. */
		{ NULL, "flr bus", "", TRUE, FALSE, BUS },
		{ "00:1c.4/00.0", "flr bus", "", TRUE, TRUE, NONE },
		{ "00:1c.4/00.0", "flr bus", "bus", TRUE, TRUE, NONE },
		{ "00:1c.4/00.0", "flr bus", "flr bus", TRUE, TRUE, FUNCTION },
		{ "00:1c.4/00.0", NULL, "", FALSE, TRUE, NONE },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrPciFunction function = { .path = (char *)cases[i].path };
		const HvrResetFacts facts = { .function = &function,
					      .original = cases[i].original,
					      .left = cases[i].left,
					      .alone = cases[i].alone,
					      .guarded = cases[i].guarded };
		HvrResets resets = hvr_resets_reach(&facts);
		if (!resets.known || resets.guarded != cases[i].guarded ||
		    resets.function != cases[i].function || resets.bus != cases[i].bus)
			fail_msg("case %u: function %u, bus %u", i, resets.function, resets.bus);
	}
}

/* That "bus" is not in the list of one that is alone on its bus may be the kernel's doing, or the
 * guard's in its time, or anybody's: nobody can tell by the list, and the worst is listed. */
static void test_doubtful(void **state)
{
	static const char *const originals[] = { "flr", "flr busy", "pm" };
	const HvrPciFunction function = { BELOW_PORT };

	for (guint i = 0; i < G_N_ELEMENTS(originals); i++) {
		HvrResetFacts facts = {
			.function = &function, .original = originals[i], .left = "", .alone = TRUE
		};
		HvrResets resets = hvr_resets_reach(&facts);
		assert_false(resets.known);
		assert_int_equal(resets.bus, HVR_RESET_ALWAYS);
		g_autofree char *text = hvr_resets_describe(&resets, "");
		assert_non_null(strstr(text, "bus resets may reach it"));
		facts.guarded = TRUE;
		resets = hvr_resets_reach(&facts);
		assert_true(resets.known);
		assert_int_equal(resets.bus, 0);
	}
}

/* The module is loaded before a VM has the card: said as what will be. */
static void test_guard_comes(void **state)
{
	const HvrPciFunction function = { BELOW_PORT };
	const HvrResetFacts facts = { .function = &function,
				      .original = "flr bus",
				      .left = "",
				      .alone = TRUE,
				      .guard_comes = TRUE };
	HvrResets resets = hvr_resets_reach(&facts);
	g_autofree char *text = hvr_resets_describe(&resets, "");

	assert_int_equal(resets.function | resets.bus, 0);
	assert_string_equal(text, "no reset can reach it, once module hailo-vm-run-guard is "
				  "loaded for it");
}

/* Without reset_method, as before Linux 5.15, no reset is ruled out but by the guard. */
static void test_unknown(void **state)
{
	const HvrPciFunction function = { BELOW_PORT };
	HvrResetFacts facts = { .function = &function, .alone = TRUE };
	HvrResets resets = hvr_resets_reach(&facts);

	assert_false(resets.known);
	assert_int_equal(resets.function, HVR_RESET_ALWAYS);
	assert_int_equal(resets.bus, HVR_RESET_ALWAYS);
	facts.guarded = TRUE;
	resets = hvr_resets_reach(&facts);
	assert_false(resets.known);
	assert_int_equal(resets.function, HVR_RESET_ALWAYS);
	assert_int_equal(resets.bus, 0);
}

/* What was in front of it on its bus when the kernel looked may be gone by now, so that "bus" is
 * not offered says nothing of one that cannot have been the first. */
static void test_not_the_first(void **state)
{
	const HvrPciFunction function = { BELOW_PORT, .address = { .bus = 2, .slot = 1 } };
	const HvrResetFacts facts = {
		.function = &function, .original = "flr", .left = "", .alone = TRUE
	};

	assert_int_equal(hvr_resets_reach(&facts).bus, HVR_RESET_ALWAYS);
}

static char *describe(const char *left, HvrResets resets)
{
	return hvr_resets_describe(&resets, left);
}

/* One sentence each, and the methods that are left by name. */
static void test_describe(void **state)
{
	g_autofree char *none = describe("", (HvrResets){ .known = TRUE });
	g_autofree char *kept = describe("", (HvrResets){ .known = TRUE, .guarded = TRUE });
	g_autofree char *bus = describe("", (HvrResets){ .known = TRUE, .bus = 7 });
	g_autofree char *by_bus = describe("bus", (HvrResets){ .known = TRUE, .bus = 7 });
	g_autofree char *some =
		describe("flr pm", (HvrResets){ .known = TRUE, .function = 7, .bus = 7 });
	g_autofree char *unknown = describe(NULL, (HvrResets){ .function = 7, .bus = 7 });

	assert_string_equal(none, "no reset can reach it");
	assert_string_equal(kept, "no reset can reach it: function resets are off, and module "
				  "hailo-vm-run-guard keeps bus resets away");
	assert_non_null(strstr(bus, "function resets are off; bus resets still reach it"));
	assert_true(g_str_has_prefix(by_bus, "bus resets (bus) reach it"));
	assert_non_null(strstr(some, "function resets (flr pm) reach it"));
	assert_non_null(strstr(unknown, "which resets reach it is not known"));
}

static gboolean has(const HvrPciFunction *other, gconstpointer name)
{
	return g_strcmp0(other->name, name) == 0;
}

/* QEMU resets no bus on which it has not all groups; at the last close the kernel may. */
static void test_apart(void **state)
{
	static const struct {
		const char *name;
		int group; /* of the function beside the card */
		const char *has;
		gboolean apart;
	} cases[] = {
		{ "in its group", 14, NULL, FALSE },
		{ "in another group", 20, NULL, TRUE },
		{ "in another group of the same VM", 20, "0000:02:00.1", FALSE },
		{ "without a group", FAKE_NO_GROUP, NULL, FALSE },
	};
	const HvrPciAddress card = { .bus = 2 };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const FakeFunction beside = { .parent = "0000:00:1c.4",
					      .vendor = 0x8086,
					      .group = cases[i].group };
		g_autoptr(FakeSysfs) fs = fake_sysfs_new();
		fake_sysfs_add_hailo8(fs, "0000:00:1c.4", "0000:02:00.0", 14, 0);
		fake_sysfs_add_hailo8(fs, "0000:00:1c.5", "0000:03:00.0", 15, 1);
		fake_sysfs_add_function(fs, "0000:02:00.1", &beside);
		g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
		const HvrPciFunction *function = hvr_inventory_find(inventory, &card);
		HvrResetFacts facts = { .function = function, .original = "flr", .left = "" };
		facts.apart = hvr_reset_is_apart(inventory, function, has, cases[i].has);
		HvrResets resets = hvr_resets_reach(&facts);
		guint wanted = cases[i].apart ? HVR_RESET_AT_CLOSE : HVR_RESET_ALWAYS;
		if (facts.apart != cases[i].apart || resets.bus != wanted)
			fail_msg("%s: %u", cases[i].name, resets.bus);
		g_autofree char *text = hvr_resets_describe(&resets, "");
		assert_int_equal(strstr(text, "when QEMU starts") == NULL, cases[i].apart);
	}
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
		cmocka_unit_test(test_doubtful),    cmocka_unit_test(test_apart),
		cmocka_unit_test(test_guard_comes), cmocka_unit_test(test_reach),
		cmocka_unit_test(test_unknown),	    cmocka_unit_test(test_not_the_first),
		cmocka_unit_test(test_describe),    cmocka_unit_test(test_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
