/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which card a section means: the one, several, or everything that helps to say it better. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/host/select.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-sysfs.h"

static FakeSysfs *make_host(void)
{
	FakeSysfs *fs = fake_sysfs_new();
	const FakeFunction nic = { .parent = "0000:00:1c.5",
				   .vendor = 0x8086,
				   .device = 0x1533,
				   .class_code = 0x020000,
				   .group = FAKE_NO_GROUP };

	fake_sysfs_add_hailo8(fs, "0000:00:1c.4", "0000:03:00.0", 15, 1);
	fake_sysfs_add_hailo8(fs, "0000:00:1c.5", "0000:02:00.0", 14, 0);
	fake_sysfs_add_function(fs, "0000:04:00.0", &nic);
	return fs;
}

/* The keys of a [device] section, what they select, and what is said where they select nothing. */
static void test_select(void **state)
{
	static const struct {
		const char *keys, *names;
		int status;
		const char *message, *hint;
	} cases[] = {
		{ "pick = free\n", "0000:02:00.0 0000:03:00.0 ", 0, NULL, NULL },
		{ "address = 03:00.0\n", "0000:03:00.0 ", 0, NULL, NULL },
		{ "path = 00:1c.4/00.0\n", "0000:03:00.0 ", 0, NULL, NULL },
		{ "match = 8086:1533\n", "0000:04:00.0 ", 0, NULL, NULL },
		{ "", NULL, 69, "device 'npu': 2 PCI functions have match = 1e60:2864",
		  "name one by address or path, or set pick = free: 0000:02:00.0 (1e60:2864, path "
		  "00:1c.5/00.0, group 14, driver hailo); 0000:03:00.0" },
		{ "address = 05:00.0\n", NULL, 69,
		  "device 'npu': no PCI function has address = 0000:05:00.0",
		  "this host has 0000:02:00.0" },
		{ "path = 00:1c.6/00.0\n", NULL, 69,
		  "device 'npu': no PCI function has path = 00:1c.6/00.0", "this host has " },
		{ "match = 10de:1234\npick = free\n", NULL, 69,
		  "device 'npu': no PCI function has match = 10de:1234", "this host has " },
		{ "address = 00:1c.4\n", NULL, 69, "device 'npu': 0000:00:1c.4 is a bridge", NULL },
	};
	g_autoptr(FakeSysfs) fs = make_host();
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(
			"[vm]\nname = lab\nmemory = 64M\n[device npu]\n", cases[i].keys, NULL);
		g_autoptr(HvrProfile) profile =
			hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) found =
			hvr_select(g_ptr_array_index(profile->devices, 0), inventory, &error);
		g_autoptr(GString) names = g_string_new(NULL);
		for (guint k = 0; found && k < found->len; k++)
			g_string_append_printf(names, "%s ",
					       ((HvrPciFunction *)found->pdata[k])->name);
		if (cases[i].names) {
			assert_string_equal(names->str, cases[i].names);
			continue;
		}
		assert_null(found);
		assert_int_equal(hvr_exit_status(error), cases[i].status);
		assert_true(g_str_has_prefix(error->message, cases[i].message));
		if (cases[i].hint && !strstr(error->message, cases[i].hint))
			fail_msg("%s", error->message);
	}
}

/* A host without any accelerator is asked to look at its slots. */
static void test_nothing_there(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	const FakeFunction nic = { .vendor = 0x8086, .device = 0x1533, .class_code = 0x020000 };
	const HvrProfileDevice device = { .id = (char *)"npu", .vendor = 0x1e60, .device = 0x2864 };
	g_autoptr(GError) error = NULL;

	fake_sysfs_add_function(fs, "0000:00:02.0", &nic);
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	assert_null(hvr_select(&device, inventory, &error));
	assert_non_null(strstr(error->message, "\nthis host shows no known accelerator"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_nothing_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
