/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who would notice if a driver were taken away: each is found and named, and nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fake/layouts.h"
#include "vfio/inventory.h"
#include "vfio/dependents.h"

#define CARD "0000:02:00.0"
#define NIC  "0000:03:00.0"
#define DISK "0000:04:00.0"
#define PORT "0000:00:1c.4"

#define ROUTE_HEAD "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n"

static int setup(void **state)
{
	*state = fake_layout_busy();
	return 0;
}

static int teardown(void **state)
{
	fake_sysfs_free(*state);
	return 0;
}

static const char *kind_name(HvrDependentKind kind)
{
	switch (kind) {
	case HVR_DEPENDENT_PROCESS:
		return "process";
	case HVR_DEPENDENT_VFIO:
		return "vfio";
	case HVR_DEPENDENT_MOUNT:
		return "mount";
	case HVR_DEPENDENT_DEFAULT_ROUTE:
		return "route";
	}
	return "?";
}

/* The dependents of some functions as one text: "process 812 hailortcli /dev/hailo0; ". */
static char *dependents_of(FakeSysfs *fs, const char *const *names)
{
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&fs->host, NULL);
	g_autoptr(GPtrArray) functions = g_ptr_array_new(), dependents = NULL;
	GString *text = g_string_new(NULL);

	for (; *names; names++) {
		HvrPciAddress address;

		assert_true(hvr_pci_address_parse(*names, &address));
		g_ptr_array_add(functions, (gpointer)hvr_inventory_find(inventory, &address));
	}
	dependents = hvr_dependents_find(&fs->host, functions);
	for (guint i = 0; i < dependents->len; i++) {
		const HvrDependent *dependent = g_ptr_array_index(dependents, i);

		g_string_append_printf(text, "%s ", kind_name(dependent->kind));
		if (dependent->pid)
			g_string_append_printf(text, "%d %s ", dependent->pid, dependent->command);
		g_string_append_printf(text, "%s; ", dependent->what);
	}
	return g_string_free(text, FALSE);
}

static void assert_dependents(FakeSysfs *fs, const char *name, const char *wanted)
{
	const char *const names[] = { name, NULL };
	g_autofree char *seen = dependents_of(fs, names);

	assert_string_equal(seen, wanted);
}

/* An idle host has dependents of nothing. */
static void test_nobody(void **state)
{
	FakeSysfs *fs = *state;
	const char *const all[] = { CARD, NIC, DISK, PORT, NULL };
	g_autofree char *seen = NULL;

	fake_sysfs_add_process(fs, 1, "init", "/dev/null");
	fake_sysfs_add_process(fs, 1, "init", "socket:[812]");
	fake_sysfs_add_process(fs, 2, "editor", "/home/u/dev/hailo0");
	fake_sysfs_add_process(fs, 2, "editor", "/dev/hailo01");
	fake_sysfs_add_process(fs, 2, "editor", "/dev/hailo");
	fake_sysfs_put_file(fs, "proc/self/mountinfo",
			    "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
			    "23 22 0:5 / /dev rw - devtmpfs udev rw\n");
	seen = dependents_of(fs, all);
	assert_string_equal(seen, "");
}

/* Processes with a node open, one entry for each process and node, in order. */
static void test_processes(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/null");
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/hailo0");
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/hailo0");
	fake_sysfs_add_process(fs, 90, "a name)with (x", "/dev/hailo0");
	fake_sysfs_add_process(fs, 900, "smartd", "/dev/nvme0");
	assert_dependents(fs, CARD,
			  "process 812 hailortcli /dev/hailo0; "
			  "process 90 a name)with (x /dev/hailo0; ");
	assert_dependents(fs, DISK, "process 900 smartd /dev/nvme0; ");
	assert_dependents(fs, NIC, "");
}

/* A VM that holds the group, also while no function of it is bound to anything. */
static void test_vfio(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_add_process(fs, 4711, "qemu-system-x86", "anon_inode:kvm-vm");
	fake_sysfs_add_process(fs, 4711, "qemu-system-x86", "/dev/vfio/vfio");
	fake_sysfs_add_process(fs, 4711, "qemu-system-x86", "/dev/vfio/14");
	assert_dependents(fs, CARD, "vfio 4711 qemu-system-x86 /dev/vfio/14; ");
	assert_dependents(fs, NIC, "");
}

/* Members of one group have one node, and it is named once. */
static void test_vfio_group(void **state)
{
	FakeSysfs *fs = *state;
	const FakeFunction twin = {
		.parent = PORT, .vendor = 0x8086, .device = 0x1533, .group = 14
	};
	const char *const both[] = { CARD, "0000:02:00.1", NULL };
	g_autofree char *seen = NULL;

	fake_sysfs_add_function(fs, "0000:02:00.1", &twin);
	fake_sysfs_add_process(fs, 4711, "qemu", "/dev/vfio/14");
	seen = dependents_of(fs, both);
	assert_string_equal(seen, "vfio 4711 qemu /dev/vfio/14; ");
}

/* So does a node of the card's own (Linux 6.6). */
static void test_vfio_device(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_add_node(fs, CARD, "vfio-dev/vfio3", "vfio/devices/vfio3", "vfio-dev", 511, 3);
	fake_sysfs_add_process(fs, 4711, "qemu", "/dev/vfio/devices/vfio3");
	assert_dependents(fs, CARD, "vfio 4711 qemu /dev/vfio/devices/vfio3; ");
	assert_dependents(fs, NIC, "");
}

/* In a container the node may have any name: what counts is the device that is open. */
static void test_renamed_node(void **state)
{
	FakeSysfs *fs = *state;
	struct stat st;
	g_autofree char *number = NULL;

	/* A character device that is there on any Linux and needs no privilege to be looked at. */
	assert_int_equal(stat("/dev/null", &st), 0);
	number = g_strdup_printf("%u:%u\n", 1u, 3u);
	fake_sysfs_put_file(fs, "sys/bus/pci/devices/" CARD "/hailo_chardev/hailo0/dev", number);
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/null");
	assert_dependents(fs, CARD, "process 812 hailortcli /dev/hailo0; ");
}

/* Mounts by number and by source, swaps, what is built on a disk, members of a btrfs. */
static void test_disks(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_put_file(fs, "proc/self/mountinfo",
			    "22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
			    "23 22 0:40 /@home /home rw - btrfs /dev/nvme0n1p1 rw,subvol=/@home\n"
			    "24 22 259:1 /x /a\\040b rw - ext4 /dev/root rw\n"
			    "25 22 259:7 / /other rw - ext4 /dev/nvme1n1 rw\n"
			    "garbage\n"
			    "26 22 259:1\n");
	fake_sysfs_put_file(fs, "proc/swaps",
			    "Filename\tType\tSize\tUsed\tPriority\n"
			    "/dev/nvme0n1p1 partition\t1000\t0\t-2\n"
			    "/swapfile file\t1000\t0\t-3\n");
	fake_sysfs_put_file(
		fs, "sys/bus/pci/devices/" DISK "/nvme/nvme0/nvme0n1/nvme0n1p1/holders/dm-0", "");
	fake_sysfs_put_file(fs, "sys/fs/btrfs/0a0a/devices/nvme0n1", "");
	fake_sysfs_put_file(fs, "sys/fs/btrfs/0a0a/devices/sda1", "");
	assert_dependents(fs, DISK,
			  "mount /; mount /home; mount /a b; "
			  "mount /dev/nvme0n1p1, swap; "
			  "mount /dev/nvme0n1p1, held by dm-0; "
			  "mount /dev/nvme0n1, in a btrfs; ");
	assert_dependents(fs, CARD, "");
}

/* A disk with several ways to it hangs on none of them, but goes when they go. */
static void test_multipath_disk(void **state)
{
	FakeSysfs *fs = *state;
	const char disk[] = "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n2";
	g_autofree char *dev = g_strconcat(disk, "/dev", NULL);
	g_autofree char *uevent = g_strconcat(disk, "/uevent", NULL);
	g_autofree char *subsystem = g_strconcat(disk, "/subsystem", NULL);

	fake_sysfs_put_file(fs, "proc/self/mountinfo", "22 1 259:5 / / rw - ext4 /dev/root rw\n");
	fake_sysfs_put_file(fs, dev, "259:5\n");
	fake_sysfs_put_file(fs, uevent, "MAJOR=259\nMINOR=5\nDEVNAME=nvme0n2\n");
	fake_sysfs_put_link(fs, subsystem, "../../../../../class/block");
	fake_sysfs_put_link(fs, "sys/class/nvme-subsystem/nvme-subsys0",
			    "../../devices/virtual/nvme-subsystem/nvme-subsys0");
	assert_dependents(fs, DISK, "");
	fake_sysfs_put_link(fs, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0",
			    "../../../../class/nvme/nvme0");
	assert_dependents(fs, DISK, "mount /; ");
	assert_dependents(fs, CARD, "");
}

/* A character device does not become a disk by having its number. */
static void test_numbers_by_kind(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_put_file(fs, "proc/self/mountinfo", "22 1 510:0 / / rw - ext4 /dev/root rw\n");
	assert_dependents(fs, CARD, "");
}

/* The default route, IPv4 and IPv6, once; other routes and unreachable ones do not count. */
static void test_routes(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_put_file(fs, "proc/net/route",
			    ROUTE_HEAD "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n"
				       "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\n"
				       "eth0\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\n"
				       "eth0\t00000000\n");
	assert_dependents(fs, NIC, "");
	fake_sysfs_put_file(fs, "proc/net/route",
			    ROUTE_HEAD "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\n");
	assert_dependents(fs, NIC, "route eth0; ");
	fake_sysfs_put_file(
		fs, "proc/net/ipv6_route",
		"fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n"
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		"fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n"
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n");
	assert_dependents(fs, NIC, "route eth0; ");
	fake_sysfs_put_file(fs, "proc/net/route", ROUTE_HEAD);
	assert_dependents(fs, NIC, "route eth0; ");
	assert_dependents(fs, CARD, "");
}

/* The route of a bridge, or of a VLAN on it, rests on the interface below; a loop ends. */
static void test_stacked_routes(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_put_file(fs, "proc/net/route",
			    ROUTE_HEAD "br0.7\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\n");
	fake_sysfs_put_link(fs, "sys/class/net/br0.7/lower_br0", "../br0");
	fake_sysfs_put_link(fs, "sys/class/net/br0/lower_br0.7", "../br0.7");
	assert_dependents(fs, NIC, "");
	fake_sysfs_put_link(fs, "sys/class/net/br0/lower_eth0", "../eth0");
	assert_dependents(fs, NIC, "route br0.7; ");
}

/* Functions below a bridge are no part of it; those that a VMD has made are part of the VMD. */
static void test_functions_below(void **state)
{
	FakeSysfs *fs = *state;
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

	fake_sysfs_add_function(fs, "0000:00:0e.0", &vmd);
	fake_sysfs_add_function(fs, "10000:e1:00.0", &disk);
	fake_sysfs_add_node(fs, "10000:e1:00.0", "nvme/nvme1/nvme1n1", "nvme1n1", "block", 259, 9);
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/hailo0");
	fake_sysfs_put_file(fs, "proc/self/mountinfo", "22 1 259:9 / / rw - ext4 /dev/root rw\n");
	assert_dependents(fs, PORT, "");
	assert_dependents(fs, "0000:00:0e.0", "mount /; ");
}

/* Whatever of /proc is missing or may not be read is left out, and nothing else with it. */
static void test_unreadable(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_remove_file(fs, "proc/swaps");
	fake_sysfs_remove_file(fs, "proc/self/mountinfo");
	fake_sysfs_remove_file(fs, "proc/net");
	fake_sysfs_put_file(fs, "proc/7/comm", "gone\n");
	fake_sysfs_put_file(fs, "proc/8/fd", "not a folder\n");
	fake_sysfs_put_file(fs, "proc/99999999999/comm", "no pid\n");
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/hailo0");
	assert_dependents(fs, CARD, "process 812 hailortcli /dev/hailo0; ");
}

/* The process that asks is not in its own way. */
static void test_self(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_add_process(fs, getpid(), "hailo-vm-run", "/dev/vfio/14");
	assert_dependents(fs, CARD, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_processes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vfio, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vfio_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vfio_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renamed_node, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_multipath_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_by_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stacked_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_functions_below, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_self, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
