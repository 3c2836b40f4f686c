/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One change at a time on the fake machine: done and seen to be done, or told with what was tried
 * and why it did not work.
 */
#include <errno.h>
#include <gio/gio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/error.h"
#include "vfio/step.h"

#define CARD "0000:02:00.0"

static int setup(void **state)
{
	FakeSysfs *fs = fake_sysfs_new();

	fake_sysfs_add_hailo8(fs, "0000:00:1c.4", CARD, 14, 0);
	fake_sysfs_add_driver(fs, "vfio-pci");
	*state = fs;
	return 0;
}

static int teardown(void **state)
{
	fake_sysfs_free(*state);
	return 0;
}

static const HvrPciFunction card = { .address = { .bus = 2 }, .group = 14 };

static gboolean perform(FakeSysfs *fs, HvrStep *step, GError **error)
{
	gboolean well = hvr_step_perform(&fs->host, step, 1000, error);

	hvr_step_free(step);
	return well;
}

static void assert_fails(FakeSysfs *fs, HvrStep *step, GQuark domain, int code, const char *message)
{
	g_autoptr(GError) error = NULL;

	assert_false(perform(fs, step, &error));
	assert_string_equal(error->message, message);
	assert_true(g_error_matches(error, domain, code));
}

/* The whole way there and back. */
static void test_well(void **state)
{
	FakeSysfs *fs = *state;
	g_autofree char *before = fake_sysfs_snapshot(fs);

	assert_true(perform(fs, hvr_step_new_set(&card, "reset_method", ""), NULL));
	g_autofree char *reset = fake_sysfs_attribute(fs, CARD, "reset_method");
	assert_string_equal(reset, "");
	assert_true(perform(fs, hvr_step_new_set(&card, "driver_override", "vfio-pci"), NULL));
	assert_true(perform(fs, hvr_step_new(HVR_STEP_UNBIND, &card, "hailo"), NULL));
	assert_true(perform(fs, hvr_step_new(HVR_STEP_PROBE, &card, "vfio-pci"), NULL));
	g_autofree char *driver = fake_sysfs_driver(fs, CARD);
	assert_string_equal(driver, "vfio-pci");
	assert_true(perform(fs, hvr_step_new_own_node(&card, getuid(), getgid(), 0640), NULL));
	g_autofree char *node = g_strconcat(fs->root, "/dev/vfio/14", NULL);
	struct stat st;
	assert_int_equal(stat(node, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_true(perform(fs, hvr_step_new_set(&card, "driver_override", ""), NULL));
	assert_true(perform(fs, hvr_step_new(HVR_STEP_UNBIND, &card, "vfio-pci"), NULL));
	assert_true(perform(fs, hvr_step_new(HVR_STEP_BIND, &card, "hailo"), NULL));
	assert_true(perform(fs, hvr_step_new_set(&card, "reset_method", "flr bus"), NULL));
	assert_true(perform(fs, hvr_step_new_set(&card, "power/control", "auto"), NULL));
	g_autofree char *after = fake_sysfs_snapshot(fs);
	assert_string_equal(before, after);
}

/* What the kernel refuses is told in its words. */
static void test_refused(void **state)
{
	static const int errnos[] = { EBUSY, EINVAL, ENODEV, EPERM, EIO, ENOSPC };
	FakeSysfs *fs = *state;

	for (guint i = 0; i < G_N_ELEMENTS(errnos); i++) {
		g_autofree char *message = g_strdup_printf(CARD ": cannot unbind from hailo: %s",
							   g_strerror(errnos[i]));
		fake_sysfs_fail_matching(fs, "unbind", errnos[i]);
		assert_fails(fs, hvr_step_new(HVR_STEP_UNBIND, &card, "hailo"), G_IO_ERROR,
			     (int)g_io_error_from_errno(errnos[i]), message);
	}
	fake_sysfs_fail_matching(fs, "unbind", ETIMEDOUT);
	assert_fails(fs, hvr_step_new(HVR_STEP_UNBIND, &card, "hailo"), HVR_VFIO_ERROR,
		     HVR_VFIO_ERROR_TIMEOUT,
		     CARD ": cannot unbind from hailo: the kernel did not finish writing "
			  "bus/pci/drivers/hailo/unbind within 1 s");
}

/* drivers_probe says 0 when nobody took the function: that is no success. */
static void test_probe_without_effect(void **state)
{
	FakeSysfs *fs = *state;

	assert_fails(fs, hvr_step_new(HVR_STEP_PROBE, &card, "vfio-pci"), HVR_VFIO_ERROR,
		     HVR_VFIO_ERROR_KERNEL,
		     CARD ": cannot bind to vfio-pci: it is on driver hailo afterwards");
	assert_true(perform(fs, hvr_step_new_set(&card, "driver_override", "vfio-pci"), NULL));
	assert_true(perform(fs, hvr_step_new(HVR_STEP_UNBIND, &card, "hailo"), NULL));
	fake_sysfs_set_probe_error(fs, CARD, "vfio-pci", EIO);
	assert_fails(fs, hvr_step_new(HVR_STEP_PROBE, &card, "vfio-pci"), HVR_VFIO_ERROR,
		     HVR_VFIO_ERROR_KERNEL,
		     CARD ": cannot bind to vfio-pci: it is without a driver afterwards");
}

static gboolean take_and_ignore(const HvrHost *host, const char *path, const char *value,
				guint timeout_ms, GError **error)
{
	return TRUE;
}

/* A write that succeeds and changes nothing is found out, for each kind of step. */
static void test_silent_refusal(void **state)
{
	FakeSysfs *fs = *state;
	HvrKernel deaf = *fs->host.kernel;

	deaf.write = take_and_ignore;
	fs->host.kernel = &deaf;
	assert_fails(fs, hvr_step_new_set(&card, "reset_method", ""), HVR_VFIO_ERROR,
		     HVR_VFIO_ERROR_KERNEL,
		     CARD
		     ": cannot set reset_method to '': the kernel took it and shows 'flr bus'");
	assert_fails(fs, hvr_step_new_set(&card, "no_such", "1"), HVR_VFIO_ERROR,
		     HVR_VFIO_ERROR_KERNEL,
		     CARD ": cannot set no_such to '1': the kernel took it and shows 'nothing'");
	assert_fails(fs, hvr_step_new(HVR_STEP_UNBIND, &card, "hailo"), HVR_VFIO_ERROR,
		     HVR_VFIO_ERROR_KERNEL,
		     CARD ": cannot unbind from hailo: it is on driver hailo afterwards");
	assert_fails(fs, hvr_step_new(HVR_STEP_BIND, &card, "vfio-pci"), HVR_VFIO_ERROR,
		     HVR_VFIO_ERROR_KERNEL,
		     CARD ": cannot bind to vfio-pci: it is on driver hailo afterwards");
}

static void say(FakeSysfs *fs, const char *text)
{
	g_autofree char *path = g_strconcat(fs->root, "/dev/kmsg", NULL);
	FILE *file = fopen(path, "a");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* hailo_pci 4.23.0 without a firmware file, and the driver core's own line behind it; another
 * card's and a process's are not about this one. */
static void on_bind(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	if (!strstr(what, "/bind"))
		return;
	say(fs, "3,812,9000000,-;hailo 0000:02:00.0: Failed with error -2 to write file "
		"hailo/hailo8_fw.bin\n SUBSYSTEM=pci\n");
	say(fs, "3,813,9000001,-;hailo 0000:03:00.0: Firmware was already loaded\n");
	say(fs, "12,814,9000002,-;hailo 0000:02:00.0: from a process\n");
	say(fs, "4,815,9000003,-;hailo: probe of 0000:02:00.0 failed with error -2\n");
}

/* What the kernel said while the driver refused the card, and nothing from before. */
static void test_bind_kernel_words(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_put_file(fs, "dev/kmsg", "3,1,1,-;hailo 0000:02:00.0: long ago\n");
	assert_true(perform(fs, hvr_step_new(HVR_STEP_UNBIND, &card, "hailo"), NULL));
	fake_sysfs_set_probe_error(fs, CARD, "hailo", ENOENT);
	fs->after = on_bind;
	assert_fails(fs, hvr_step_new(HVR_STEP_BIND, &card, "hailo"), G_IO_ERROR,
		     G_IO_ERROR_NOT_FOUND,
		     CARD ": cannot bind to hailo: No such file or directory; the kernel says: "
			  "hailo " CARD ": Failed with error -2 to write file hailo/hailo8_fw.bin"
			  " / hailo: probe of " CARD " failed with error -2");
}

/* Whoever was quicker has brought the same about. */
static void test_bind_raced(void **state)
{
	FakeSysfs *fs = *state;

	assert_true(perform(fs, hvr_step_new(HVR_STEP_UNBIND, &card, "hailo"), NULL));
	fake_sysfs_fail_matching(fs, "hailo/bind", EBUSY);
	fs->fail_late = TRUE;
	assert_true(perform(fs, hvr_step_new(HVR_STEP_BIND, &card, "hailo"), NULL));
}

/* But a probe that is not over has the link already: that is no success. */
static void test_bind_unfinished(void **state)
{
	FakeSysfs *fs = *state;

	assert_true(perform(fs, hvr_step_new(HVR_STEP_UNBIND, &card, "hailo"), NULL));
	fake_sysfs_fail_matching(fs, "hailo/bind", ETIMEDOUT);
	fs->fail_late = TRUE;
	assert_fails(fs, hvr_step_new(HVR_STEP_BIND, &card, "hailo"), HVR_VFIO_ERROR,
		     HVR_VFIO_ERROR_TIMEOUT,
		     CARD ": cannot bind to hailo: the kernel did not finish writing "
			  "bus/pci/drivers/hailo/bind within 45 s");
}

/* A driver that was unloaded meanwhile is named as the reason. */
static void test_bind_without_driver(void **state)
{
	FakeSysfs *fs = *state;

	assert_fails(fs, hvr_step_new(HVR_STEP_BIND, &card, "gone"), HVR_VFIO_ERROR,
		     HVR_VFIO_ERROR_NOT_FOUND,
		     CARD ": cannot bind to gone: that driver is no longer loaded");
}

/* Where the kernel no longer takes a reset method, its default is set; only then, and only there.
 */
static void test_or_default(void **state)
{
	FakeSysfs *fs = *state;
	HvrStep *step = hvr_step_new_set(&card, "reset_method", "flr pm bus");

	step->or_default = TRUE;
	assert_true(perform(fs, hvr_step_new_set(&card, "reset_method", ""), NULL));
	assert_true(perform(fs, step, NULL));
	g_autofree char *reset = fake_sysfs_attribute(fs, CARD, "reset_method");
	assert_string_equal(reset, "flr bus");

	assert_false(perform(fs, hvr_step_new_set(&card, "reset_method", "flr pm bus"), NULL));
	step = hvr_step_new_set(&card, "reset_method", "flr");
	step->or_default = TRUE;
	fake_sysfs_fail_matching(fs, "reset_method", EIO);
	assert_false(perform(fs, step, NULL));
}

/* Modules are asked for by name, and found missing. */
static void test_module(void **state)
{
	FakeSysfs *fs = *state;

	assert_true(perform(fs, hvr_step_new(HVR_STEP_LOAD_MODULE, NULL, "vfio-pci"), NULL));
	fake_sysfs_remove_module(fs, "vfio-pci");
	assert_fails(fs, hvr_step_new(HVR_STEP_LOAD_MODULE, NULL, "vfio-pci"), HVR_VFIO_ERROR,
		     HVR_VFIO_ERROR_KERNEL,
		     "cannot load module vfio-pci: No such file or directory");
}

/* The node's error names the card and the node. */
static void test_own_no_node(void **state)
{
	FakeSysfs *fs = *state;

	assert_fails(fs, hvr_step_new_own_node(&card, 0, 0, 0600), G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
		     CARD ": cannot own the node vfio/14: No such file or directory");
}

/* What --dry-run shows of each kind. */
static void test_describe(void **state)
{
	const struct {
		HvrStep *step;
		const char *text;
	} cases[] = {
		{ hvr_step_new(HVR_STEP_LOAD_MODULE, NULL, "vfio-pci"), "load module vfio-pci" },
		{ hvr_step_new_set(&card, "power/control", "on"),
		  CARD ": set power/control to 'on'" },
		{ hvr_step_new_set(&card, "reset_method", ""), CARD ": empty reset_method" },
		{ hvr_step_new(HVR_STEP_UNBIND, &card, "hailo"), CARD ": unbind from hailo" },
		{ hvr_step_new(HVR_STEP_PROBE, &card, "vfio-pci"), CARD ": bind to vfio-pci" },
		{ hvr_step_new(HVR_STEP_BIND, &card, "hailo"), CARD ": bind to hailo" },
		{ hvr_step_new_own_node(&card, 1, 2, 0660),
		  CARD ": give /dev/vfio/14 to 1:2, mode 0660" },
		/* of a plan for another host (--root), whose users have no numbers here */
		{ hvr_step_new_own_node(&card, HVR_UID_ELSEWHERE, (gid_t)-1, 0600),
		  CARD ": give /dev/vfio/14 to the VM's user, mode 0600" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = hvr_step_describe(cases[i].step);
		assert_string_equal(text, cases[i].text);
		hvr_step_free(cases[i].step);
	}
	hvr_step_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_well, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_probe_without_effect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silent_refusal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bind_without_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bind_kernel_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bind_raced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bind_unfinished, setup, teardown),
		cmocka_unit_test_setup_teardown(test_or_default, setup, teardown),
		cmocka_unit_test_setup_teardown(test_module, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_no_node, setup, teardown),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
