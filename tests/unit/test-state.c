/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is changed on a function is read whole, or not at all. */
#include <gio/gio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/error.h"
#include "vfio/state.h"

#define CARD	"0000:02:00.0"
#define CARD_AT "sys/bus/pci/devices/" CARD "/"

static int setup(void **state)
{
	FakeSysfs *fs = fake_sysfs_new();

	fake_sysfs_add_hailo8(fs, "0000:00:1c.4", CARD, 14, 0);
	*state = fs;
	return 0;
}

static int teardown(void **state)
{
	fake_sysfs_free(*state);
	return 0;
}

static HvrPciFunction card(void)
{
	HvrPciFunction function = { .address = { .bus = 2 },
				    .name = CARD,
				    .vendor = 0x1e60,
				    .device = 0x2864,
				    .group = 14 };

	return function;
}

static HvrPciState *read_state(FakeSysfs *fs)
{
	const HvrPciFunction function = card();
	g_autoptr(GError) error = NULL;
	HvrPciState *now = hvr_pci_state_read(&fs->host, &function, &error);

	assert_null(error);
	assert_non_null(now);
	return now;
}

/* A card on its host driver. */
static void test_host_driver(void **state)
{
	g_autoptr(HvrPciState) now = read_state(*state);

	assert_string_equal(now->driver, "hailo");
	assert_null(now->driver_override);
	assert_string_equal(now->reset_method, "flr bus");
	assert_string_equal(now->power_control, "auto");
	assert_string_equal(now->d3cold_allowed, "1");
	assert_false(now->has_node);
}

/* A card on vfio-pci, its reset methods emptied, its node given away. */
static void test_vfio(void **state)
{
	FakeSysfs *fs = *state;
	g_autofree char *node = g_strconcat(fs->root, "/dev/vfio/14", NULL);
	g_autoptr(HvrPciState) now = NULL;

	fake_sysfs_put_file(fs, CARD_AT "reset_method", "");
	fake_sysfs_put_file(fs, CARD_AT "driver_override", "vfio-pci\n");
	fake_sysfs_put_link(fs, CARD_AT "driver", "../../../../bus/pci/drivers/vfio-pci");
	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	assert_int_equal(chmod(node, 0660), 0);
	now = read_state(fs);
	assert_string_equal(now->driver, "vfio-pci");
	assert_string_equal(now->driver_override, "vfio-pci");
	assert_string_equal(now->reset_method, "");
	assert_true(now->has_node);
	assert_int_equal(now->node_uid, getuid());
	assert_int_equal(now->node_gid, getgid());
	assert_int_equal(now->node_mode, 0660);
}

/* No driver, and attributes that this kernel does not have: NULL, and no error. */
static void test_absent(void **state)
{
	FakeSysfs *fs = fake_sysfs_new();
	const FakeFunction bare = { .vendor = 0x1e60, .device = 0x2864, .group = 14 };
	g_autoptr(HvrPciState) now = NULL;

	fake_sysfs_add_function(fs, CARD, &bare);
	now = read_state(fs);
	assert_null(now->driver);
	assert_null(now->reset_method);
	assert_non_null(now->power_control);
	fake_sysfs_free(fs);
}

/* An attribute that is there and cannot be read is an error: it could not be given back. */
static void test_unreadable(void **state)
{
	FakeSysfs *fs = *state;
	const HvrPciFunction function = card();
	g_autoptr(GError) error = NULL;

	fake_sysfs_put_link(fs, CARD_AT "reset_method", "reset_method");
	assert_null(hvr_pci_state_read(&fs->host, &function, &error));
	assert_true(error->domain == G_IO_ERROR);
	assert_string_equal(error->message, CARD ": cannot read 'reset_method': "
						 "Too many levels of symbolic links");
}

/* A driver that hangs has the device's lock: its state is not waited for without end. */
static void test_hanging(void **state)
{
	FakeSysfs *fs = *state;
	const HvrPciFunction function = card();
	g_autoptr(GError) error = NULL;

	fake_sysfs_set_hanging(fs, CARD, TRUE);
	hvr_pci_state_free(read_state(fs));
	assert_false(
		fs->host.kernel->write(&fs->host, "bus/pci/drivers/hailo/unbind", CARD, 50, NULL));
	assert_null(hvr_pci_state_read(&fs->host, &function, &error));
	assert_true(g_error_matches(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT));
	assert_string_equal(error->message,
			    CARD ": cannot read 'driver_override': the kernel did not finish "
				 "reading driver_override within 10 s");
	fake_sysfs_set_hanging(fs, CARD, FALSE);
	hvr_pci_state_free(read_state(fs));
}

/* A function that has gone has no state; the error says so and says which. */
static void test_vanished(void **state)
{
	FakeSysfs *fs = *state;
	const HvrPciFunction function = card();
	g_autoptr(GError) error = NULL, alive_error = NULL;

	fake_sysfs_remove_function(fs, CARD);
	assert_null(hvr_pci_state_read(&fs->host, &function, &error));
	assert_true(g_error_matches(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_FOUND));
	assert_string_equal(error->message, CARD ": no such PCI function");
	assert_false(hvr_pci_function_alive(&fs->host, &function, &alive_error));
	assert_true(g_error_matches(alive_error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_FOUND));
}

/* A copy is equal and stands alone; nothing is no state to free. */
static void test_copy(void **state)
{
	g_autoptr(HvrPciState) now = read_state(*state);
	g_autoptr(HvrPciState) copy = hvr_pci_state_copy(now);

	assert_ptr_not_equal(now->driver, copy->driver);
	assert_string_equal(now->driver, copy->driver);
	assert_string_equal(now->reset_method, copy->reset_method);
	assert_string_equal(now->power_control, copy->power_control);
	assert_string_equal(now->d3cold_allowed, copy->d3cold_allowed);
	assert_null(copy->driver_override);
	hvr_pci_state_free(NULL);
}

/* Config space: the card itself, nobody, somebody else, and a file that is too short. */
static void test_alive(void **state)
{
	FakeSysfs *fs = *state;
	HvrPciFunction function = card();
	g_autoptr(GError) dead = NULL, other = NULL, cut = NULL;

	assert_true(hvr_pci_function_alive(&fs->host, &function, NULL));

	function.device = 0x45c4;
	assert_false(hvr_pci_function_alive(&fs->host, &function, &other));
	assert_string_equal(other->message, CARD ": is 1e60:2864 now, was 1e60:45c4");
	assert_true(g_error_matches(other, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE));

	fake_sysfs_set_dead(fs, CARD);
	assert_false(hvr_pci_function_alive(&fs->host, &function, &dead));
	assert_string_equal(dead->message,
			    CARD ": does not answer: its config space reads as all ones");
	assert_true(g_error_matches(dead, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE));

	fake_sysfs_put_file(fs, CARD_AT "config", "\x60\x1e");
	assert_false(hvr_pci_function_alive(&fs->host, &function, &cut));
	assert_string_equal(cut->message, CARD ": cannot read config space: too short");
}

/* A virtual function shows no identity of its own, and is alive all the same. */
static void test_alive_virtual(void **state)
{
	FakeSysfs *fs = *state;
	const FakeFunction virtual = { .vendor = 0x8086,
				       .device = 0x10ed,
				       .class_code = 0x020000,
				       .group = 30,
				       .virtual_function = TRUE };
	const HvrPciFunction function = {
		.name = "0000:00:10.0", .vendor = 0x8086, .device = 0x10ed, .group = 30
	};

	fake_sysfs_add_function(fs, function.name, &virtual);
	assert_true(hvr_pci_function_alive(&fs->host, &function, NULL));
	fake_sysfs_set_dead(fs, function.name);
	assert_false(hvr_pci_function_alive(&fs->host, &function, NULL));
}

/* In the order of the numbers, by one name after the other; what made none comes first. */
static void test_devnode_order(void **state)
{
	static const char *const order[] = { NULL,	 "dri/card0", "hailo2", "hailo10",
					     "hailo1x0", "hailo1x1",  "uio0" };

	for (guint i = 0; i < G_N_ELEMENTS(order); i++)
		for (guint k = 0; k < G_N_ELEMENTS(order); k++) {
			const HvrPciState a = { .devnode = (char *)order[i] };
			const HvrPciState b = { .devnode = (char *)order[k] };
			int compared = hvr_pci_state_compare_devnodes(&a, &b);

			assert_int_equal((compared > 0) - (compared < 0), (i > k) - (i < k));
		}
}

/* What the driver made, as long as it is there. */
static void test_devnode(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(HvrPciState) bound = read_state(fs);

	assert_string_equal(bound->devnode, "hailo0");
	assert_true(
		fs->host.kernel->write(&fs->host, "bus/pci/drivers/hailo/unbind", CARD, 50, NULL));
	g_autoptr(HvrPciState) unbound = read_state(fs);
	fake_sysfs_put_file(fs, CARD_AT "net/eth\xff/mtu", "1500\n");
	g_autoptr(HvrPciState) with_odd = read_state(fs);
	assert_null(with_odd->devnode);
	assert_null(unbound->devnode);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_host_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vfio, setup, teardown),
		cmocka_unit_test(test_absent),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hanging, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vanished, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alive_virtual, setup, teardown),
		cmocka_unit_test_setup_teardown(test_devnode, setup, teardown),
		cmocka_unit_test(test_devnode_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
