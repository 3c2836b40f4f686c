/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which reset methods a card cannot have, from config spaces as cards and the lab have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/fake-files.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/capability.h"

#define CARD   "0000:02:00.0"
#define CONFIG "sys/devices/pci0000:00/0000:00:1c.4/" CARD "/config"
#define SIZE   256

/* Where a byte of config space has which value. */
typedef struct {
	guint8 offset, value;
} Byte;

static char *incapable(const Byte *bytes, guint n, gsize size)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	const HvrPciAddress address = { .bus = 2 };
	guint8 config[SIZE] = { 0x60, 0x1e, 0x64, 0x28 };

	fake_sysfs_add_hailo8(fs, "0000:00:1c.4", CARD, 14, 0);
	for (guint i = 0; i < n; i++)
		config[bytes[i].offset] = bytes[i].value;
	fake_files_write_bytes(fs->root, CONFIG, config, size, 0644);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	return hvr_reset_incapable(&fs->host, hvr_inventory_find(inventory, &address));
}

/* The list begins at 0x40 with PM, then PCI Express at 0x70; AF at 0x60 where there is one. */
#define LIST                                                                                       \
	{ 0x06, 0x10 }, { 0x34, 0x40 },                                                            \
	{                                                                                          \
		0x40, 0x01                                                                         \
	}
#define EXPRESS                                                                                    \
	{ 0x41, 0x70 },                                                                            \
	{                                                                                          \
		0x70, 0x10                                                                         \
	}
#define FLR                                                                                        \
	{                                                                                          \
		0x77, 0x10                                                                         \
	}
#define NO_SOFT                                                                                    \
	{                                                                                          \
		0x44, 0x08                                                                         \
	}

static void test_cards(void **state)
{
	static const struct {
		const char *name, *incapable;
		Byte bytes[10];
	} cases[] = {
		{ "a Hailo-8", "af_flr pm", { LIST, EXPRESS, FLR, NO_SOFT } },
		{ "without FLR", "flr af_flr pm", { LIST, EXPRESS, NO_SOFT } },
		{ "that forgets", "af_flr", { LIST, EXPRESS, FLR } },
		{ "conventional, with AF",
		  "flr pm",
		  { LIST, NO_SOFT, { 0x41, 0x60 }, { 0x60, 0x13 }, { 0x63, 0x03 } } },
		{ "AF without FLR",
		  "flr af_flr pm",
		  { LIST, NO_SOFT, { 0x41, 0x60 }, { 0x60, 0x13 }, { 0x63, 0x01 } } },
		{ "no list", "", { { 0x34, 0x40 } } },
		{ "an empty list", "flr af_flr pm", { { 0x06, 0x10 } } },
		{ "a list in a circle", "", { LIST, { 0x41, 0x40 } } },
		{ "a list that leads into the header", "", { LIST, { 0x41, 0x10 } } },
		{ "a list that ends in nothing", "", { LIST, { 0x41, 0x80 }, { 0x80, 0xff } } },
		{ "one that is cut off", "", { LIST, { 0x41, 0xfc }, { 0xfc, 0x10 } } },
		{ "dead", "", { { 0, 0xff }, { 1, 0xff }, { 2, 0xff }, { 3, 0xff }, LIST } },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		Byte bytes[G_N_ELEMENTS(cases[i].bytes)];
		guint n = 0;
		for (guint k = 0; k < G_N_ELEMENTS(bytes); k++)
			if (cases[i].bytes[k].offset || cases[i].bytes[k].value)
				bytes[n++] = cases[i].bytes[k];
		g_autofree char *seen = incapable(bytes, n, SIZE);
		if (strcmp(seen, cases[i].incapable) != 0)
			fail_msg("%s: '%s'", cases[i].name, seen);
	}
}

/* As who is not root gets it. */
static void test_short(void **state)
{
	static const Byte bytes[] = { LIST };
	g_autofree char *seen = incapable(bytes, G_N_ELEMENTS(bytes), 64);

	assert_string_equal(seen, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cards),
		cmocka_unit_test(test_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
