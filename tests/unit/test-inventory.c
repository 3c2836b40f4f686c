/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All functions of a host, their drivers and groups, at one moment. */
#include <gio/gio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/error.h"
#include "vfio/inventory.h"

/* libpci does not give back what it holds when its error handler does not end the process. It is
 * seen on the stack of what it opened only if that is unwound by the book: libc has no frame
 * pointers, and its symbols are not installed everywhere. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpci.so\n";
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

static HvrInventory *read_all(FakeSysfs *fs)
{
	g_autoptr(GError) error = NULL;
	HvrInventory *inventory = hvr_inventory_read(&fs->host, &error);

	if (!inventory)
		fail_msg("%s", error->message);
	return inventory;
}

static const HvrPciFunction *find(const HvrInventory *inventory, const char *name)
{
	HvrPciAddress address;

	assert_true(hvr_pci_address_parse(name, &address));
	return hvr_inventory_find(inventory, &address);
}

static void assert_text(const char *seen, const char *wanted)
{
	if (g_strcmp0(seen, wanted) != 0)
		fail_msg("'%s', not '%s'", seen ? seen : "NULL", wanted ? wanted : "NULL");
}

/* A host with everything on it: cards, a NIC beside one, a VMD domain, a function without group. */
static FakeSysfs *full_host(void)
{
	FakeSysfs *fs = fake_sysfs_new();
	const FakeFunction nic = { .parent = "0000:00:1c.4",
				   .vendor = 0x8086,
				   .device = 0x1533,
				   .class_code = 0x020000,
				   .group = 14,
				   .driver = "igb" };
	const FakeFunction host_bridge = {
		.vendor = 0x8086, .device = 0x3e30, .class_code = 0x060000, .group = 0
	};
	const FakeFunction vmd = { .vendor = 0x8086,
				   .device = 0x9a0b,
				   .class_code = 0x010400,
				   .group = 5,
				   .driver = "vmd" };
	const FakeFunction disk = { .parent = "0000:00:0e.0",
				    .vendor = 0x144d,
				    .device = 0xa80a,
				    .class_code = 0x010802,
				    .group = 5,
				    .driver = "nvme" };
	const FakeFunction loner = {
		.vendor = 0x1234, .device = 0x11e8, .class_code = 0x00ff00, .group = FAKE_NO_GROUP
	};

	fake_sysfs_add_hailo8(fs, "0000:00:1c.4", "0000:02:00.0", 14, 0);
	fake_sysfs_add_function(fs, "0000:02:00.1", &nic);
	fake_sysfs_add_function(fs, "0000:00:00.0", &host_bridge);
	fake_sysfs_add_function(fs, "0000:00:0e.0", &vmd);
	fake_sysfs_add_function(fs, "10000:e1:00.0", &disk);
	fake_sysfs_add_function(fs, "0000:00:1f.0", &loner);
	return fs;
}

/* Every function is there once, sorted, with what its folder says. */
static void test_functions(void **state)
{
	static const struct {
		const char *name, *path;
		guint16 vendor, device;
		guint32 class_code;
		const char *driver;
		int group;
		gboolean known;
	} cases[] = {
		{ "0000:00:00.0", "00:00.0", 0x8086, 0x3e30, 0x060000, NULL, 0, FALSE },
		{ "0000:00:0e.0", "00:0e.0", 0x8086, 0x9a0b, 0x010400, "vmd", 5, FALSE },
		{ "0000:00:1c.4", "00:1c.4", 0x8086, 0xa33c, 0x060400, "pcieport", 114, FALSE },
		{ "0000:00:1f.0", "00:1f.0", 0x1234, 0x11e8, 0x00ff00, NULL, -1, FALSE },
		{ "0000:02:00.0", "00:1c.4/00.0", 0x1e60, 0x2864, 0x0b4000, "hailo", 14, TRUE },
		{ "0000:02:00.1", "00:1c.4/00.1", 0x8086, 0x1533, 0x020000, "igb", 14, FALSE },
		{ "10000:e1:00.0", "10000:e1:00.0", 0x144d, 0xa80a, 0x010802, "nvme", 5, FALSE },
	};
	g_autoptr(FakeSysfs) fs = full_host();
	g_autoptr(HvrInventory) inventory = read_all(fs);
	const GPtrArray *all = hvr_inventory_functions(inventory);

	assert_int_equal(all->len, G_N_ELEMENTS(cases));
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);

		assert_text(function->name, cases[i].name);
		assert_text(function->path, cases[i].path);
		assert_int_equal(function->vendor, cases[i].vendor);
		assert_int_equal(function->device, cases[i].device);
		assert_int_equal(function->class_code, cases[i].class_code);
		assert_text(function->driver, cases[i].driver);
		assert_int_equal(function->group, cases[i].group);
		assert_int_equal(function->quirk != NULL, cases[i].known);
		assert_false(function->noiommu);
		assert_ptr_equal(find(inventory, cases[i].name), function);
	}
	assert_null(find(inventory, "0000:02:00.2"));
}

/* The members of a group, sorted; none for a group that is not there, or that none is in. */
static void test_groups(void **state)
{
	g_autoptr(FakeSysfs) fs = full_host();
	g_autoptr(HvrInventory) inventory = read_all(fs);
	const GPtrArray *members = hvr_inventory_group(inventory, 14);
	const HvrPciFunction *first, *second;

	assert_int_equal(members->len, 2);
	first = g_ptr_array_index(members, 0);
	second = g_ptr_array_index(members, 1);
	assert_text(first->name, "0000:02:00.0");
	assert_text(second->name, "0000:02:00.1");
	assert_int_equal(hvr_inventory_group(inventory, 0)->len, 1);
	assert_int_equal(hvr_inventory_group(inventory, 77)->len, 0);
	assert_int_equal(hvr_inventory_group(inventory, -1)->len, 0);
}

/* Without an IOMMU nobody has a group; a no-IOMMU group is known for what it is. */
static void test_no_iommu(void **state)
{
	g_autoptr(FakeSysfs) fs = full_host();
	const FakeFunction taken = { .vendor = 0x1e60,
				     .device = 0x2864,
				     .class_code = 0x0b4000,
				     .group = 50,
				     .driver = "vfio-pci" };
	g_autoptr(HvrInventory) with = NULL, without = NULL;

	fake_sysfs_add_function(fs, "0000:00:1d.0", &taken);
	fake_sysfs_add_function(fs, "0000:00:1d.1", &taken);
	with = read_all(fs);
	assert_false(find(with, "0000:00:1d.0")->noiommu);
	g_clear_pointer(&with, hvr_inventory_free);

	fake_sysfs_set_noiommu(fs, 50);
	with = read_all(fs);
	assert_true(find(with, "0000:00:1d.0")->noiommu);
	assert_true(find(with, "0000:00:1d.1")->noiommu);
	assert_false(find(with, "0000:02:00.0")->noiommu);

	fake_sysfs_set_iommu(fs, FALSE);
	without = read_all(fs);
	assert_int_equal(find(without, "0000:02:00.0")->group, -1);
	assert_false(find(without, "0000:02:00.0")->noiommu);
}

/* What libpci cached is no use after a rebind: each inventory looks again. */
static void test_reads_again(void **state)
{
	g_autoptr(FakeSysfs) fs = full_host();
	g_autoptr(HvrInventory) before = read_all(fs), after = NULL;

	assert_true(fs->host.kernel->write(&fs->host, "bus/pci/drivers/hailo/unbind",
					   "0000:02:00.0", 0, NULL));
	fake_sysfs_remove_function(fs, "0000:02:00.1");
	after = read_all(fs);
	assert_text(find(before, "0000:02:00.0")->driver, "hailo");
	assert_text(find(after, "0000:02:00.0")->driver, NULL);
	assert_null(find(after, "0000:02:00.1"));
}

/* A function that vanishes between scan and look leaves a link to nowhere: it is left out. */
static void test_vanishing(void **state)
{
	g_autoptr(FakeSysfs) fs = full_host();
	g_autoptr(HvrInventory) inventory = NULL;

	fake_sysfs_put_link(fs, "sys/bus/pci/devices/0000:09:00.0",
			    "../../../devices/pci0000:00/0000:00:1d.0/0000:09:00.0");
	fake_sysfs_put_file(fs, "sys/bus/pci/devices/0000:0a:00.0/irq", "0\n");
	inventory = read_all(fs);
	assert_null(find(inventory, "0000:09:00.0"));
	assert_null(find(inventory, "0000:0a:00.0"));
	assert_int_equal(hvr_inventory_functions(inventory)->len, 7);
}

/* A tree that was captured without modalias has the same identity in single attributes. */
static void test_without_modalias(void **state)
{
	g_autoptr(FakeSysfs) fs = full_host();
	g_autoptr(HvrInventory) inventory = NULL;

	fake_sysfs_remove_file(fs, "sys/bus/pci/devices/0000:02:00.0/modalias");
	inventory = read_all(fs);
	assert_int_equal(find(inventory, "0000:02:00.0")->vendor, 0x1e60);
	assert_int_equal(find(inventory, "0000:02:00.0")->device, 0x2864);
	assert_int_equal(find(inventory, "0000:02:00.0")->class_code, 0x0b4000);
	assert_non_null(find(inventory, "0000:02:00.0")->quirk);
}

/* Not where its number says: a captured tree may have the folder itself in the place of the link,
 * and a root bus may be below what is no PCI (a platform's bridge). */
static void test_elsewhere(void **state)
{
	static const char modalias[] = "pci:v00001234d00005678sv00000000sd00000000bc02sc00i00\n";
	g_autoptr(FakeSysfs) fs = full_host();
	g_autoptr(HvrInventory) inventory = NULL;

	fake_sysfs_put_file(fs, "sys/bus/pci/devices/0000:00:1d.0/modalias", modalias);
	fake_sysfs_put_file(fs, "sys/devices/platform/soc/pci0001:00/0001:00:00.0/modalias",
			    modalias);
	fake_sysfs_put_link(fs, "sys/bus/pci/devices/0001:00:00.0",
			    "../../../devices/platform/soc/pci0001:00/0001:00:00.0");
	inventory = read_all(fs);
	assert_int_equal(find(inventory, "0000:00:1d.0")->device, 0x5678);
	assert_null(find(inventory, "0000:00:1d.0")->path);
	assert_int_equal(find(inventory, "0001:00:00.0")->device, 0x5678);
	assert_text(find(inventory, "0001:00:00.0")->path, "0001:00:00.0");
}

/* What libpci cannot read ends in an error and not in exit(1); no PCI bus is another error. */
static void test_libpci_error(void **state)
{
	g_autoptr(FakeSysfs) fs = full_host();
	FakeSysfs empty = { .host = fs->host };
	g_autoptr(GError) garbled = NULL, none = NULL;
	g_autoptr(HvrInventory) inventory = NULL;

	fake_sysfs_put_file(fs, "sys/bus/pci/devices/garbage", "");
	assert_null(hvr_inventory_read(&fs->host, &garbled));
	assert_true(g_error_matches(garbled, HVR_VFIO_ERROR, HVR_VFIO_ERROR_KERNEL));
	assert_non_null(strstr(garbled->message, "cannot enumerate PCI functions: "));
	assert_non_null(strstr(garbled->message, "garbage"));

	empty.host.sys = fs->host.run;
	assert_null(hvr_inventory_read(&empty.host, &none));
	assert_true(g_error_matches(none, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_FOUND));
	assert_string_equal(none->message, "no PCI bus in sysfs");

	fake_sysfs_remove_file(fs, "sys/bus/pci/devices/garbage");
	inventory = read_all(fs);
	assert_int_equal(hvr_inventory_functions(inventory)->len, 7);
}

/* Names: the quirk table's first, then pci.ids, then the numbers. */
static void test_describe(void **state)
{
	g_autoptr(FakeSysfs) fs = full_host();
	const FakeFunction unknown = { .vendor = 0xfff0, .device = 0x0001, .group = 40 };
	g_autoptr(HvrInventory) inventory = NULL;
	g_autofree char *card = NULL, *nic = NULL, *other = NULL;

	fake_sysfs_add_function(fs, "0000:00:1e.0", &unknown);
	inventory = read_all(fs);
	card = hvr_inventory_describe(inventory, find(inventory, "0000:02:00.0"));
	nic = hvr_inventory_describe(inventory, find(inventory, "0000:02:00.1"));
	other = hvr_inventory_describe(inventory, find(inventory, "0000:00:1e.0"));
	assert_text(card, "Hailo-8 AI accelerator");
	assert_true(g_str_has_prefix(nic, "Intel Corporation ") || strstr(nic, "8086:1533"));
	assert_non_null(strstr(other, "fff0:0001"));
}

/* Which functions are never passed, by class. */
static void test_bridges(void **state)
{
	static const struct {
		guint32 class_code;
		gboolean bridge;
	} cases[] = {
		{ 0x060000, TRUE },  /* host */
		{ 0x060100, TRUE },  /* ISA */
		{ 0x060400, TRUE },  /* PCI to PCI */
		{ 0x060401, TRUE },  /* the same, subtractive */
		{ 0x060700, TRUE },  /* CardBus */
		{ 0x068000, FALSE }, /* "other": endpoints that have no class of their own */
		{ 0x0b4000, FALSE }, { 0x020000, FALSE }, { 0x000000, FALSE }, { 0xff0000, FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrPciFunction function = { .class_code = cases[i].class_code };

		if (hvr_pci_function_is_bridge(&function) != cases[i].bridge)
			fail_msg("%06x", cases[i].class_code);
	}
}

/* It is the driver that keeps a group from being viable, on whatever function it sits. */
static void test_blocks(void **state)
{
	static const struct {
		guint32 class_code;
		const char *driver;
		gboolean blocks;
	} cases[] = {
		{ 0x0b4000, NULL, FALSE },
		{ 0x0b4000, "hailo", TRUE },
		{ 0x0b4000, "vfio-pci", FALSE },
		{ 0x020000, "mlx5_vfio_pci", FALSE },
		{ 0x030200, "nvgrace-gpu-vfio-pci", FALSE },
		{ 0x020000, "igb", TRUE },
		{ 0x020000, "pci-stub", FALSE },
		{ 0x020000, "pci-stubborn", TRUE },
		{ 0x060400, "pcieport", FALSE },
		{ 0x060400, "shpchp", TRUE },
		{ 0x060100, "lpc_ich", TRUE },
		{ 0x060000, NULL, FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		char driver[32];
		HvrPciFunction function = { .class_code = cases[i].class_code };

		if (cases[i].driver) {
			g_strlcpy(driver, cases[i].driver, sizeof(driver));
			function.driver = driver;
		}
		if (hvr_pci_function_blocks(&function) != cases[i].blocks)
			fail_msg("case %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions), cmocka_unit_test(test_groups),
		cmocka_unit_test(test_no_iommu),  cmocka_unit_test(test_reads_again),
		cmocka_unit_test(test_vanishing), cmocka_unit_test(test_without_modalias),
		cmocka_unit_test(test_elsewhere), cmocka_unit_test(test_libpci_error),
		cmocka_unit_test(test_describe),  cmocka_unit_test(test_bridges),
		cmocka_unit_test(test_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
