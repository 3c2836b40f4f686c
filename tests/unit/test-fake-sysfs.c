/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fake machine is what all tests of changes stand on: it must behave as Linux does, and be the
 * same again after a way forth and back.
 */
#include <errno.h>
#include <gio/gio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/access.h"
#include "vfio/error.h"

#define CARD	"0000:02:00.0"
#define PORT	"0000:00:1c.4"
#define CARD_AT "bus/pci/devices/" CARD "/"

static int setup(void **state)
{
	FakeSysfs *fs = fake_sysfs_new();

	fake_sysfs_add_hailo8(fs, PORT, CARD, 14, 0);
	*state = fs;
	return 0;
}

static int teardown(void **state)
{
	fake_sysfs_free(*state);
	return 0;
}

/* One write; 0 or the G_IO_ERROR code that it ended with, -1 for HVR_VFIO_ERROR_TIMEOUT. */
static int put(FakeSysfs *fs, const char *path, const char *value)
{
	g_autoptr(GError) error = NULL;

	if (fs->host.kernel->write(&fs->host, path, value, 1000, &error)) {
		assert_null(error);
		return 0;
	}
	assert_non_null(error);
	if (g_error_matches(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT))
		return -1;
	assert_true(error->domain == G_IO_ERROR);
	return error->code;
}

static int code_of(int error_number)
{
	return (int)g_io_error_from_errno(error_number);
}

static void load(FakeSysfs *fs, const char *module)
{
	assert_true(fs->host.kernel->load_module(&fs->host, module, NULL));
}

static void to_vfio(FakeSysfs *fs)
{
	load(fs, "vfio-pci");
	assert_int_equal(put(fs, CARD_AT "driver_override", "vfio-pci\n"), 0);
	assert_int_equal(put(fs, "bus/pci/drivers/hailo/unbind", CARD), 0);
	assert_int_equal(put(fs, "bus/pci/drivers_probe", CARD), 0);
}

static void from_vfio(FakeSysfs *fs)
{
	assert_int_equal(put(fs, CARD_AT "driver_override", "\n"), 0);
	assert_int_equal(put(fs, "bus/pci/drivers/vfio-pci/unbind", CARD), 0);
	assert_int_equal(put(fs, "bus/pci/drivers/hailo/bind", CARD), 0);
	assert_int_equal(put(fs, CARD_AT "power/control", "auto\n"), 0);
}

static void assert_driver(FakeSysfs *fs, const char *address, const char *driver)
{
	g_autofree char *bound = fake_sysfs_driver(fs, address);

	if (driver)
		assert_string_equal(bound ? bound : "(none)", driver);
	else
		assert_null(bound);
}

static void assert_attribute(FakeSysfs *fs, const char *name, const char *value)
{
	g_autofree char *text = fake_sysfs_attribute(fs, CARD, name);

	assert_string_equal(text, value);
}

static HvrAccessStatus status(FakeSysfs *fs, int group)
{
	HvrAccessStatus now;

	assert_true(
		fs->host.kernel->access_status(&fs->host, hvr_access_of_group(group), &now, NULL));
	return now;
}

/* The folders and links are where Linux has them. */
static void test_layout(void **state)
{
	FakeSysfs *fs = *state;
	static const char *const paths[] = {
		"sys/devices/pci0000:00/" PORT "/" CARD "/config",
		"sys/bus/pci/devices/" CARD "/vendor",
		"sys/bus/pci/devices/" CARD "/iommu_group/devices/" CARD "/vendor",
		"sys/bus/pci/drivers/hailo/" CARD "/vendor",
		"sys/bus/pci/devices/" CARD "/driver/unbind",
		"sys/class/hailo_chardev/hailo0/dev",
		"sys/dev/char/510:0/uevent",
		"sys/class/iommu/dmar0",
		"dev/hailo0",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		if (!fake_sysfs_exists(fs, paths[i]))
			fail_msg("%s is not there", paths[i]);
	}
	assert_driver(fs, CARD, "hailo");
	assert_driver(fs, PORT, "pcieport");
}

/* To vfio-pci: node and links come, the host driver's go, power/control is vfio-pci's doing. */
static void test_bind_vfio(void **state)
{
	FakeSysfs *fs = *state;
	g_autofree char *node = g_strconcat(fs->root, "/dev/vfio/14", NULL);
	struct stat st;

	to_vfio(fs);
	assert_driver(fs, CARD, "vfio-pci");
	assert_int_equal(stat(node, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, getuid());
	assert_attribute(fs, "power/control", "auto");
	assert_false(fake_sysfs_exists(fs, "dev/hailo0"));
	assert_false(fake_sysfs_exists(fs, "sys/class/hailo_chardev/hailo0"));
	assert_false(fake_sysfs_exists(fs, "sys/bus/pci/drivers/hailo/" CARD));
	assert_true(fake_sysfs_exists(fs, "sys/bus/pci/drivers/vfio-pci/" CARD));
}

/* Forth and back leaves every byte, link, mode and owner as it was. */
static void test_round_trip(void **state)
{
	FakeSysfs *fs = *state;
	g_autofree char *before = NULL, *between = NULL, *after = NULL;

	load(fs, "vfio-pci");
	before = fake_sysfs_snapshot(fs);
	to_vfio(fs);
	between = fake_sysfs_snapshot(fs);
	from_vfio(fs);
	after = fake_sysfs_snapshot(fs);
	assert_string_not_equal(before, between);
	assert_string_equal(before, after);
}

/* What driver_override and the drivers' files answer, in the order in which they are asked. */
static void test_binding_answers(void **state)
{
	FakeSysfs *fs = *state;
	static const struct {
		const char *path, *value;
		int error;
		const char *driver;
	} cases[] = {
		/* another driver's, no such driver, no such function */
		{ "bus/pci/drivers/vfio-pci/unbind", CARD, ENODEV, "hailo" },
		{ "bus/pci/drivers/nosuch/unbind", CARD, ENOENT, "hailo" },
		{ "bus/pci/drivers/hailo/unbind", "0000:09:00.0", ENODEV, "hailo" },
		{ "bus/pci/drivers_probe", "0000:09:00.0", ENODEV, "hailo" },
		/* bound already; probing what is bound is fine */
		{ "bus/pci/drivers/hailo/bind", CARD, EBUSY, "hailo" },
		{ "bus/pci/drivers_probe", CARD, 0, "hailo" },
		/* without an override vfio-pci knows no ID */
		{ "bus/pci/drivers/hailo/unbind", CARD "\n", 0, NULL },
		{ "bus/pci/drivers/vfio-pci/bind", CARD, ENODEV, NULL },
		/* an override is matched to the letter, and nothing else is tried */
		{ CARD_AT "driver_override", "vfio-pc\n", 0, NULL },
		{ "bus/pci/drivers_probe", CARD, 0, NULL },
		{ "bus/pci/drivers/hailo/bind", CARD, ENODEV, NULL },
		/* a write of no bytes clears nothing */
		{ CARD_AT "driver_override", "", 0, NULL },
		{ "bus/pci/drivers_probe", CARD, 0, NULL },
		{ CARD_AT "driver_override", "vfio-pci", 0, NULL },
		{ "bus/pci/drivers_probe", CARD "\n", 0, "vfio-pci" },
		{ CARD_AT "driver_override", "\n", 0, "vfio-pci" },
		{ "bus/pci/drivers/vfio-pci/unbind", CARD, 0, NULL },
		{ "bus/pci/drivers_probe", CARD, 0, "hailo" },
		/* what cannot be written, is not there, or is nobody's business */
		{ CARD_AT "vendor", "0x1234\n", EACCES, "hailo" },
		{ CARD_AT "remove", "1\n", ENOENT, "hailo" },
		{ "bus/pci/drivers/vfio-pci/new_id", "1e60 2864", EACCES, "hailo" },
	};

	load(fs, "vfio-pci");
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		int wanted = cases[i].error ? code_of(cases[i].error) : 0;
		int seen = put(fs, cases[i].path, cases[i].value);

		if (seen != wanted)
			fail_msg("case %zu: %s: %d, not %d", i, cases[i].path, seen, wanted);
		assert_driver(fs, CARD, cases[i].driver);
	}
}

/* Attributes take what Linux takes, and keep the old value otherwise. */
static void test_attributes(void **state)
{
	FakeSysfs *fs = *state;
	static const struct {
		const char *name, *value;
		int error;
		const char *seen;
	} cases[] = {
		{ "reset_method", "bus\n", 0, "bus" },
		{ "reset_method", "pm\n", EINVAL, "bus" },
		{ "reset_method", "\n", 0, "" },
		{ "reset_method", "bus flr", 0, "bus flr" },
		{ "reset_method", "default\n", 0, "flr bus" },
		{ "power/control", "on\n", 0, "on" },
		{ "power/control", "off\n", EINVAL, "on" },
		{ "power/control", "auto", 0, "auto" },
		{ "d3cold_allowed", "0\n", 0, "0" },
		{ "d3cold_allowed", "2\n", EINVAL, "0" },
		{ "driver_override", "pci-stub\n", 0, "pci-stub" },
		{ "driver_override", "\n", 0, "(null)" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat(CARD_AT, cases[i].name, NULL);
		int wanted = cases[i].error ? code_of(cases[i].error) : 0;

		assert_int_equal(put(fs, path, cases[i].value), wanted);
		assert_attribute(fs, cases[i].name, cases[i].seen);
	}
}

/* An emptied reset_method reads as no bytes at all, and the long way to it works as well. */
static void test_reset_method_empty(void **state)
{
	FakeSysfs *fs = *state;
	g_autofree char *path = g_strconcat(fs->root, "/sys/" CARD_AT "reset_method", NULL);
	struct stat st;

	assert_int_equal(put(fs, "devices/pci0000:00/" PORT "/" CARD "/reset_method", "\n"), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
}

/* A function without a reset has no such attribute; vfio-pci takes no bridge. */
static void test_bridge(void **state)
{
	FakeSysfs *fs = *state;

	load(fs, "vfio-pci");
	assert_int_equal(put(fs, "bus/pci/devices/" PORT "/reset_method", "\n"), code_of(ENOENT));
	assert_int_equal(put(fs, "bus/pci/devices/" PORT "/driver_override", "vfio-pci\n"), 0);
	assert_int_equal(put(fs, "bus/pci/drivers/pcieport/unbind", PORT), 0);
	assert_int_equal(put(fs, "bus/pci/drivers_probe", PORT), 0);
	assert_driver(fs, PORT, NULL);
	assert_int_equal(put(fs, "bus/pci/drivers/vfio-pci/bind", PORT), code_of(EINVAL));
	assert_false(fake_sysfs_exists(fs, "dev/vfio/114"));
}

/* The node stays from the first vfio function of a group to its last. */
static void test_group_node(void **state)
{
	FakeSysfs *fs = *state;
	const FakeFunction nic = { .parent = PORT,
				   .vendor = 0x8086,
				   .device = 0x1533,
				   .class_code = 0x020000,
				   .group = 14,
				   .driver = "igb" };

	fake_sysfs_add_function(fs, "0000:02:00.1", &nic);
	assert_int_equal(status(fs, 14), HVR_ACCESS_NO_NODE);
	to_vfio(fs);
	assert_int_equal(status(fs, 14), HVR_ACCESS_NOT_VIABLE);
	assert_int_equal(put(fs, "bus/pci/drivers/igb/unbind", "0000:02:00.1"), 0);
	assert_int_equal(status(fs, 14), HVR_ACCESS_VIABLE);
	assert_int_equal(put(fs, "bus/pci/devices/0000:02:00.1/driver_override", "vfio-pci"), 0);
	assert_int_equal(put(fs, "bus/pci/drivers_probe", "0000:02:00.1"), 0);
	assert_int_equal(put(fs, "bus/pci/drivers/vfio-pci/unbind", CARD), 0);
	assert_true(fake_sysfs_exists(fs, "dev/vfio/14"));
	assert_int_equal(put(fs, "bus/pci/drivers/vfio-pci/unbind", "0000:02:00.1"), 0);
	assert_false(fake_sysfs_exists(fs, "dev/vfio/14"));
	assert_int_equal(status(fs, 14), HVR_ACCESS_NO_NODE);
}

/* A group that a VM uses: unbinding blocks, and a host driver cannot come beside it. */
static void test_in_use(void **state)
{
	FakeSysfs *fs = *state;
	const FakeFunction nic = { .parent = PORT,
				   .vendor = 0x8086,
				   .device = 0x1533,
				   .class_code = 0x020000,
				   .group = 14,
				   .native = "igb" };

	fake_sysfs_add_function(fs, "0000:02:00.1", &nic);
	to_vfio(fs);
	fake_sysfs_set_in_use(fs, 14, TRUE);
	assert_int_equal(status(fs, 14), HVR_ACCESS_IN_USE);
	assert_int_equal(put(fs, "bus/pci/drivers/vfio-pci/unbind", CARD), -1);
	assert_driver(fs, CARD, "vfio-pci");
	assert_int_equal(put(fs, "bus/pci/drivers/igb/bind", "0000:02:00.1"), code_of(EBUSY));
	fake_sysfs_set_in_use(fs, 14, FALSE);
	assert_int_equal(put(fs, "bus/pci/drivers/vfio-pci/unbind", CARD), 0);
	assert_int_equal(put(fs, "bus/pci/drivers/igb/bind", "0000:02:00.1"), 0);
}

/* A probe that fails shows in bind, and not in drivers_probe; a driver may hang. */
static void test_drivers_misbehave(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_set_hanging(fs, CARD, TRUE);
	assert_int_equal(put(fs, "bus/pci/drivers/hailo/unbind", CARD), -1);
	assert_driver(fs, CARD, "hailo");
	fake_sysfs_set_hanging(fs, CARD, FALSE);
	assert_int_equal(put(fs, "bus/pci/drivers/hailo/unbind", CARD), 0);
	fake_sysfs_set_probe_error(fs, CARD, "hailo", EIO);
	assert_int_equal(put(fs, "bus/pci/drivers_probe", CARD), 0);
	assert_driver(fs, CARD, NULL);
	assert_int_equal(put(fs, "bus/pci/drivers/hailo/bind", CARD), code_of(EIO));
	fake_sysfs_set_probe_error(fs, CARD, "hailo", 0);
	assert_int_equal(put(fs, "bus/pci/drivers/hailo/bind", CARD), 0);
}

/* Modules: loading twice is fine, a missing one is not; a new driver takes what it knows. */
static void test_modules(void **state)
{
	FakeSysfs *fs = *state;
	const FakeFunction card = { .vendor = 0x1e60,
				    .device = 0x45c4,
				    .class_code = 0x0b4000,
				    .group = 20,
				    .driver_override = "vfio-pci" };
	g_autoptr(GError) error = NULL;

	fake_sysfs_add_function(fs, "0000:00:05.0", &card);
	assert_false(fs->host.kernel->container_check(&fs->host, NULL));
	load(fs, "vfio-pci");
	load(fs, "vfio_pci");
	assert_driver(fs, "0000:00:05.0", "vfio-pci");
	assert_true(fs->host.kernel->container_check(&fs->host, NULL));
	fake_sysfs_remove_module(fs, "vfio-pci");
	assert_false(fs->host.kernel->load_module(&fs->host, "vfio-pci", &error));
	assert_string_equal(error->message,
			    "cannot load module vfio-pci: No such file or directory");
}

/* Faults: by number and by text, before and after the effect, once a call and never otherwise. */
static void test_faults(void **state)
{
	FakeSysfs *fs = *state;
	static const int errors[] = { EBUSY, EINVAL, ENODEV, EPERM, EIO, ENOSPC };

	for (gsize i = 0; i < G_N_ELEMENTS(errors); i++) {
		fake_sysfs_fail_at(fs, fs->calls + 2, errors[i]);
		assert_int_equal(put(fs, CARD_AT "power/control", "on"), 0);
		assert_int_equal(put(fs, CARD_AT "power/control", "auto"), code_of(errors[i]));
		assert_attribute(fs, "power/control", "on");
	}
	fake_sysfs_fail_matching(fs, "drivers/hailo", ETIMEDOUT);
	assert_int_equal(put(fs, "bus/pci/drivers/hailo/unbind", CARD), -1);
	assert_driver(fs, CARD, "hailo");
	fs->fail_late = TRUE;
	assert_int_equal(put(fs, "bus/pci/drivers/hailo/unbind", CARD), -1);
	assert_driver(fs, CARD, NULL);
	fake_sysfs_fail_never(fs);
	assert_int_equal(put(fs, "bus/pci/drivers/hailo/bind", CARD), 0);
}

/* Every call is in the log, in words that a test can compare. */
static void test_log(void **state)
{
	FakeSysfs *fs = *state;
	static const char *const wanted[] = {
		"load_module vfio-pci",
		"write " CARD_AT "driver_override vfio-pci\\n",
		"write bus/pci/drivers/hailo/unbind " CARD,
		"write bus/pci/drivers_probe " CARD,
		"access_status vfio/14",
		"container_check",
	};

	to_vfio(fs);
	assert_int_equal(status(fs, 14), HVR_ACCESS_VIABLE);
	assert_true(fs->host.kernel->container_check(&fs->host, NULL));
	assert_int_equal(fs->calls, G_N_ELEMENTS(wanted));
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
		assert_string_equal(g_ptr_array_index(fs->log, i), wanted[i]);
	fake_sysfs_clear_log(fs);
	assert_int_equal(fs->calls, 0);
}

static void die(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	if (call == GPOINTER_TO_UINT(data))
		raise(SIGKILL);
}

/* A process that dies leaves a machine with which another goes on. */
static void test_killed(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(FakeSysfs) other = NULL;
	pid_t pid = fork();
	int wait_status;

	if (pid == 0) {
		fs->after = die;
		fs->hook_data = GUINT_TO_POINTER(3);
		to_vfio(fs);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &wait_status, 0), pid);
	assert_true(WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL);

	other = fake_sysfs_open(fs->root);
	assert_driver(other, CARD, NULL);
	assert_attribute(other, "driver_override", "vfio-pci");
	assert_int_equal(put(other, "bus/pci/drivers_probe", CARD), 0);
	from_vfio(other);
	assert_true(fake_sysfs_exists(fs, "dev/hailo0"));
	g_clear_pointer(&other, fake_sysfs_free);
	assert_true(fake_sysfs_exists(fs, "sys"));
}

/* No IOMMU: no group, no class/iommu, and vfio-pci cannot bind. And on again. */
static void test_iommu_off(void **state)
{
	FakeSysfs *fs = *state;
	g_autofree char *before = fake_sysfs_snapshot(fs), *after = NULL;

	fake_sysfs_set_iommu(fs, FALSE);
	assert_false(fake_sysfs_exists(fs, "sys/" CARD_AT "iommu_group"));
	assert_false(fake_sysfs_exists(fs, "sys/class/iommu/dmar0"));
	fake_sysfs_set_iommu(fs, TRUE);
	after = fake_sysfs_snapshot(fs);
	assert_string_equal(before, after);

	fake_sysfs_set_iommu(fs, FALSE);
	to_vfio(fs);
	assert_driver(fs, CARD, NULL);
	assert_int_equal(put(fs, "bus/pci/drivers/vfio-pci/bind", CARD), code_of(EINVAL));
}

/* Hot-unplug of a bridge takes all below it and leaves no link that leads nowhere. */
static void test_remove(void **state)
{
	FakeSysfs *fs = *state;
	g_autofree char *text = NULL;

	fake_sysfs_remove_function(fs, PORT);
	text = fake_sysfs_snapshot(fs);
	assert_null(strstr(text, CARD));
	assert_null(strstr(text, PORT));
	assert_null(strstr(text, "hailo0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bind_vfio, setup, teardown),
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_binding_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_method_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bridge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_group_node, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drivers_misbehave, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_iommu_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
