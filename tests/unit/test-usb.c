/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which device of a host's USB ports a section means, and whose its node is, on the fake tree. As
 * nothing is plugged in here, a node that is right ends in the kernel's own word for that (ENXIO).
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/parts/reserve.h"
#include "launcher/parts/usb.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/runtime.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"

#define NOBODY 65534

static void put(FakeSysfs *fs, const char *port, const char *name, const char *text)
{
	g_autofree char *path = g_strdup_printf("sys/bus/usb/devices/%s/%s", port, name);

	fake_sysfs_put_file(fs, path, text);
}

static void plug(FakeSysfs *fs, const char *port, const char *ids, const char *numbers)
{
	g_auto(GStrv) id = g_strsplit(ids, ":", 2), number = g_strsplit(numbers, ":", 2);
	g_autofree char *interface = g_strconcat(port, ":1.0", NULL);

	put(fs, port, "idVendor", id[0]);
	put(fs, port, "idProduct", id[1]);
	put(fs, port, "busnum", number[0]);
	put(fs, port, "devnum", number[1]);
	put(fs, port, "bDeviceClass", "00\n");
	put(fs, interface, "bInterfaceClass", "03\n");
}

/* A hub of the host's, a keyboard, two alike behind a hub, a stick, and a disk. */
static int setup(void **state)
{
	FakeSysfs *fs = fake_sysfs_new();

	plug(fs, "usb1", "1d6b:0002", "1:1");
	put(fs, "usb1", "bDeviceClass", "09\n");
	plug(fs, "1-2", "046d:c52b", "1:5");
	plug(fs, "1-3.1", "0403:6001", "1:6");
	plug(fs, "1-3.10", "0403:6001", "1:70");
	plug(fs, "2-1", "0951:1666", "2:3");
	fake_sysfs_put_link(fs, "sys/bus/usb/devices/2-1:1.0/driver", "../../drivers/usb-storage");
	plug(fs, "2-2", "174c:55aa", "2:4");
	fake_sysfs_put_link(fs, "sys/bus/usb/devices/2-2:1.0/driver", "../../drivers/uas");
	*state = fs;
	return 0;
}

static int teardown(void **state)
{
	fake_sysfs_free(*state);
	return 0;
}

static HvrProfile *parse(const char *name, const char *keys)
{
	g_autofree char *text =
		g_strdup_printf("[vm]\nmemory = 64M\nname = %s\n[usb x]\n%s\n", name, keys);
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse("/lab.ini", text, strlen(text), NULL, &error);

	if (!profile)
		fail_msg("%s", error->message);
	return profile;
}

static void which_is_meant(void **state)
{
	static const struct {
		const char *keys, *port;
		guint bus, device;
		const char *refused;
	} cases[] = {
		{ "match = 046d:c52b", "1-2", 1, 5, NULL },
		{ "match = 046D:C52B", "1-2", 1, 5, NULL },
		{ "port = 1-3.1", "1-3.1", 1, 6, NULL },
		{ "port = 1-3.10", "1-3.10", 1, 70, NULL },
		{ "match = 0403:6001", NULL, 0, 0, "[usb x]: more than one is plugged in" },
		{ "match = 046d:c52c", NULL, 0, 0, "no such device is plugged in (046d:c52c)" },
		{ "port = 1-3", NULL, 0, 0, "no such device is plugged in (at 1-3)" },
		{ "match = 1d6b:0002", NULL, 0, 0, "it is a hub" },
		{ "port = 2-1", NULL, 0, 0, "it is a disk of this host, which a driver serves" },
		{ "port = 2-1", NULL, 0, 0,
		  "echo 2-1:1.0 > /sys/bus/usb/drivers/usb-storage/unbind" },
		{ "port = 2-2", NULL, 0, 0, "echo 2-2:1.0 > /sys/bus/usb/drivers/uas/unbind" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(HvrProfile) profile = parse("lab", cases[i].keys);
		g_auto(HvrUsbDevice) device = { .port = NULL };
		g_autoptr(GError) error = NULL;
		gboolean found = hvr_usb_find(fake_sysfs_host(*state), profile->usbs->pdata[0],
					      &device, &error);

		if (cases[i].refused) {
			assert_false(found);
			assert_int_equal(error->code, HVR_LAUNCH_ERROR_UNAVAILABLE);
			assert_non_null(strstr(error->message, cases[i].refused));
			continue;
		}
		assert_true(found);
		assert_string_equal(device.port, cases[i].port);
		assert_int_equal(device.bus, cases[i].bus);
		assert_int_equal(device.device, cases[i].device);
	}
}

/* QEMU takes the driver away, and the host is off its network. */
static void the_way_out_is_the_hosts(void **state)
{
	FakeSysfs *fs = *state;
	const HvrHost *host = fake_sysfs_host(fs);
	g_autoptr(HvrProfile) profile = parse("lab", "match = 046d:c52b");
	const HvrProfileUsb *usb = g_ptr_array_index(profile->usbs, 0);
	g_auto(HvrUsbDevice) device = { .port = NULL };
	g_autoptr(GError) error = NULL;
	const char *head = "Iface\tDestination\tGateway\n";
	const char *by_bridge = "br0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\n";
	const char *local = "usb0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n";
	g_autofree char *out = g_strconcat(head, local, by_bridge, NULL);
	g_autofree char *in = g_strconcat(head, local, NULL);

	fake_sysfs_put_file(fs, "sys/bus/usb/devices/1-2:1.0/net/usb0/mtu", "1500\n");
	fake_sysfs_put_file(fs, "sys/class/net/br0/lower_usb0/mtu", "1500\n");
	fake_sysfs_put_file(fs, "proc/net/route", out);
	assert_false(hvr_usb_find(host, usb, &device, &error));
	assert_int_equal(error->code, HVR_LAUNCH_ERROR_UNAVAILABLE);
	assert_true(g_str_has_prefix(error->message, "[usb x]: a default route of this host goes "
						     "through it, by br0 (046d:c52b)\n"));
	fake_sysfs_put_file(fs, "proc/net/route", in);
	assert_true(hvr_usb_find(host, usb, &device, NULL));
}

static void assert_node(FakeSysfs *fs, const char *keys, int code, const char *wanted,
			const char *hint)
{
	g_autoptr(HvrProfile) profile = parse("lab", keys);
	HvrUser user = { .name = (char *)"lab", .uid = NOBODY, .gid = NOBODY, .privileged = TRUE };
	HvrParts parts = { .user = &user };
	HvrContext context = { .host = *fake_sysfs_host(fs) };
	g_autoptr(GError) error = NULL;

	assert_false(hvr_usb_check(&context, profile, &parts, &error));
	if (error->code != code || !strstr(error->message, wanted) ||
	    (hint && !strstr(error->message, hint)))
		fail_msg("code %d: %s", error->code, error->message);
}

/* It is opened as the VM's user, and only where it is that device's. */
static void whose_its_node_is(void **state)
{
	FakeSysfs *fs = *state;
	g_autofree char *node = g_build_filename(fs->root, "dev/bus/usb/001/005", NULL);
	g_autofree char *other = g_build_filename(fs->root, "dev/bus/usb/001/070", NULL);

	if (geteuid() != 0)
		skip();
	assert_node(fs, "match = 046d:c52b", HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "user lab cannot open '/dev/bus/usb/001/005': No such file", NULL);
	fake_sysfs_put_file(fs, "dev/bus/usb/001/005", "");
	assert_int_equal(chmod(fs->root, 0755), 0);
	assert_int_equal(chown(node, NOBODY, NOBODY), 0);
	assert_node(fs, "match = 046d:c52b", HVR_LAUNCH_ERROR_UNAVAILABLE, "No such device", NULL);
	assert_int_equal(unlink(node), 0);
	if (mknod(node, S_IFCHR | 0600, makedev(189, 4)) < 0)
		skip();
	assert_node(fs, "match = 046d:c52b", HVR_LAUNCH_ERROR_PERMISSION,
		    "user lab cannot open '/dev/bus/usb/001/005': Permission denied",
		    "ATTR{idVendor}==\"046d\", ATTR{idProduct}==\"c52b\", OWNER=\"lab\"");
	assert_node(fs, "port = 1-2", HVR_LAUNCH_ERROR_PERMISSION, "Permission denied",
		    "KERNEL==\"1-2\", OWNER=\"lab\"");
	assert_int_equal(chown(node, NOBODY, NOBODY), 0);
	assert_node(fs, "match = 046d:c52b", HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "No such device or address", NULL);
	/* a link leads anywhere */
	assert_int_equal(symlink(node, other), 0);
	assert_node(fs, "port = 1-3.10", HVR_LAUNCH_ERROR_UNAVAILABLE, "symbolic links", NULL);
}

/* However they name it. */
static void two_vms_have_not_one_device(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(HvrProfile) first = parse("first", "match = 046d:c52b");
	g_autoptr(HvrProfile) second = parse("second", "port = 1-2");
	g_autoptr(GPtrArray) locks =
		g_ptr_array_new_with_free_func((GDestroyNotify)hvr_lock_release);
	HvrParts parts = { .user = NULL };
	int run = open(fs->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	HvrContext context = { .host = *fake_sysfs_host(fs),
			       .runtime = hvr_runtime_open(run, "runtime", NULL) };
	g_autoptr(GError) error = NULL;

	hvr_fd_close(run);
	assert_true(hvr_reserve(&context, first, &parts, locks, NULL));
	g_autoptr(GPtrArray) theirs =
		g_ptr_array_new_with_free_func((GDestroyNotify)hvr_lock_release);
	assert_false(hvr_reserve(&context, second, &parts, theirs, &error));
	assert_int_equal(error->code, HVR_LAUNCH_ERROR_BUSY);
	assert_true(g_str_has_prefix(error->message, "[usb x]: "));
	assert_non_null(strstr(error->message, "first"));
	hvr_fd_close(context.runtime);
}

/* Between the lock and QEMU another may be plugged in there, or a link lead elsewhere. */
static void what_is_passed_is_what_was_locked(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(HvrProfile) profile = parse("lab", "match = 046d:c52b");
	const HvrProfileUsb *usb = g_ptr_array_index(profile->usbs, 0);
	const HvrProfileInput input = { .id = (char *)"kbd" };
	g_autoptr(GPtrArray) locks =
		g_ptr_array_new_with_free_func((GDestroyNotify)hvr_lock_release);
	HvrParts parts = { .user = NULL };
	int run = open(fs->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	HvrContext context = { .host = *fake_sysfs_host(fs),
			       .runtime = hvr_runtime_open(run, "runtime", NULL) };
	g_autoptr(GError) error = NULL;

	hvr_fd_close(run);
	assert_true(hvr_reserve(&context, profile, &parts, locks, NULL));
	assert_true(hvr_reserve_has_usb(locks, usb, "1-2", NULL));
	assert_false(hvr_reserve_has_usb(locks, usb, "1-3.10", &error));
	assert_int_equal(error->code, HVR_LAUNCH_ERROR_BUSY);
	assert_true(g_str_has_prefix(error->message, "[usb x]: what it names has changed"));
	g_clear_error(&error);
	assert_false(hvr_reserve_has_input(locks, &input, 0xd40, &error));
	assert_true(g_str_has_prefix(error->message, "[input kbd]: what it names has changed"));
	g_ptr_array_add(locks,
			hvr_lock_try(&context.host, context.runtime, "input-d40", "lab", NULL));
	assert_true(hvr_reserve_has_input(locks, &input, 0xd40, NULL));
	g_clear_pointer(&locks, g_ptr_array_unref);
	hvr_fd_close(context.runtime);
}

/* Only the host knows that these are one; QEMU would start, and the second never work. */
static void two_sections_have_not_one_device(void **state)
{
	assert_node(*state, "match = 046d:c52b\n[usb y]\nport = 1-2", HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[usb y]: it is that of [usb x], too (at 1-2)", "leave one of them out");
	assert_node(*state, "port = 1-2\n[usb y]\nmatch = 046d:c52b", HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[usb y]: it is that of [usb x], too (046d:c52b)", NULL);
	/* what is not there is that first */
	assert_node(*state, "port = 1-9\n[usb y]\nport = 1-2", HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[usb x]: no such device", NULL);
}

/* The events of a keyboard, which go when QEMU takes it from its driver. */
static void a_node_is_of_a_device(void **state)
{
	FakeSysfs *fs = *state;
	const HvrHost *host = fake_sysfs_host(fs);

	fake_sysfs_put_link(fs, "sys/dev/char/13:67",
			    "../../devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/"
			    "0003:046D:C52B.0001/input/input5/event3");
	assert_true(hvr_usb_makes_node(host, "1-2", makedev(13, 67)));
	assert_true(hvr_usb_makes_node(host, "usb1", makedev(13, 67)));
	assert_false(hvr_usb_makes_node(host, "1-2.1", makedev(13, 67)));
	assert_false(hvr_usb_makes_node(host, "1", makedev(13, 67)));
	assert_false(hvr_usb_makes_node(host, "1-2", makedev(13, 68)));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(which_is_meant),
		TEST(the_way_out_is_the_hosts),
		TEST(whose_its_node_is),
		TEST(what_is_passed_is_what_was_locked),
		TEST(a_node_is_of_a_device),
		TEST(two_vms_have_not_one_device),
		TEST(two_sections_have_not_one_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
