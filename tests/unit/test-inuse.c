/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May a function be taken from its driver: who would notice is named, and what is vital stays. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launcher/host/inuse.h"
#include "launcher/report/error.h"
#include "tests/fake/layouts.h"

#define PORT "0000:00:1c.4"
#define CARD "0000:02:00.0"
#define NIC  "0000:03:00.0"
#define DISK "0000:04:00.0"

static void add_vm(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	fake_sysfs_set_in_use(fs, 14, TRUE);
}

static void add_vm_with_name(FakeSysfs *fs)
{
	add_vm(fs);
	fake_sysfs_add_process(fs, 4711, "qemu-system-x86", "/dev/vfio/14");
}

static void add_two_users(FakeSysfs *fs)
{
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/hailo0");
	fake_sysfs_add_process(fs, 813, "scheduler", "/dev/hailo0");
}

static void add_route(FakeSysfs *fs)
{
	fake_sysfs_put_file(
		fs, "proc/net/route",
		"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n"
		"eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n");
}

static void add_mount(FakeSysfs *fs)
{
	fake_sysfs_put_file(fs, "proc/self/mountinfo",
			    "22 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
}

static void add_nothing(FakeSysfs *fs)
{
}

/* Free; or in use, with who it is; 75 where that may end, 69 where it must not. */
static void test_check(void **state)
{
	static const struct {
		void (*use)(FakeSysfs *fs);
		const char *name;
		int status; /* 0: free */
		const char *message;
	} cases[] = {
		{ add_nothing, CARD, 0, NULL },
		{ add_nothing, NIC, 0, NULL },
		{ add_nothing, PORT, 0, NULL },
		{ add_two_users, CARD, 75,
		  CARD
		  ": in use by hailortcli (pid 812, has /dev/hailo0 open), scheduler (pid 813, "
		  "has /dev/hailo0 open)\nend what uses it, and try again" },
		{ add_two_users, NIC, 0, NULL },
		{ add_vm, CARD, 75, CARD ": in use by a process that cannot be named\n" },
		{ add_vm_with_name, CARD, 75,
		  CARD ": in use by qemu-system-x86 (pid 4711, has /dev/vfio/14 open)\n" },
		{ add_vm, NIC, 0, NULL },
		{ add_route, NIC, 69,
		  NIC ": this host cannot do without it: the default route (eth0)\n" },
		{ add_route, DISK, 0, NULL },
		{ add_mount, DISK, 69,
		  DISK ": this host cannot do without it: a disk in use (/)\n" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(FakeSysfs) fs = fake_layout_busy();
		g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
		g_autoptr(GError) error = NULL;
		HvrPciAddress address;
		fs->host.step_timeout_ms = 300;
		cases[i].use(fs);
		assert_true(hvr_pci_address_parse(cases[i].name, &address));
		gboolean well =
			hvr_inuse_check(&fs->host, hvr_inventory_find(inventory, &address), &error);
		assert_int_equal(well, cases[i].status == 0);
		if (well)
			continue;
		assert_int_equal(hvr_exit_status(error), cases[i].status);
		if (!g_str_has_prefix(error->message, cases[i].message))
			fail_msg("%s", error->message);
	}
}

/* What the kernel does not say is no reason to take the card: only who may not open the node hears
 * of that elsewhere. */
static void test_cannot_ask(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_busy();
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	g_autoptr(GError) refusal = NULL;
	HvrPciAddress address;

	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	assert_true(hvr_pci_address_parse(CARD, &address));
	const HvrPciFunction *card = hvr_inventory_find(inventory, &address);
	fake_sysfs_fail_matching(fs, "access_status", EMFILE);
	assert_false(hvr_inuse_check(&fs->host, card, &refusal));
	assert_true(g_str_has_prefix(refusal->message, CARD ": "));
	fake_sysfs_fail_matching(fs, "access_status", EACCES);
	assert_true(hvr_inuse_check(&fs->host, card, NULL));
}

static void close_it(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	guint *left = data;

	if (g_str_has_prefix(what, "access_status") && *left && --*left == 0)
		fake_sysfs_set_in_use(fs, 14, FALSE);
}

/* A QEMU that has ended, whose group the kernel is about to close. */
static void test_closing(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_layout_busy();
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	g_autoptr(GError) error = NULL;
	HvrPciAddress address;
	guint left = 2;

	add_vm(fs);
	assert_true(hvr_pci_address_parse(CARD, &address));
	fs->after = close_it;
	fs->hook_data = &left;
	if (!hvr_inuse_check(&fs->host, hvr_inventory_find(inventory, &address), &error))
		fail_msg("%s", error->message);
	assert_int_equal(left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_cannot_ask),
		cmocka_unit_test(test_closing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
