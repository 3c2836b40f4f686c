/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several cards and pick = free: one that is dead, held, forbidden or does not bind is no reason to
 * fail while another one is there; it is said, and the host is as before.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/runtime/holds.h"
#include "tests/fake/fake-files.h"
#include "tests/unit/scenarios.h"

#define FIRST  "0000:02:00.0"
#define SECOND "0000:03:00.0"
#define THIRD  "0000:04:00.0"

static void build_pool(FakeSysfs *fs)
{
	fake_sysfs_add_hailo8(fs, "0000:00:1c.0", FIRST, 14, 0);
	fake_sysfs_add_hailo8(fs, "0000:00:1c.1", SECOND, 15, 1);
	fake_sysfs_add_hailo8(fs, "0000:00:1c.2", THIRD, 16, 2);
	fake_files_make_folder(fs->root, "var/lib");
}

static const Scenario one = { "one of a pool", build_pool, "[device npu]\npick = free\n", "run" };
static const Scenario two = { "two of a pool", build_pool,
			      "[device a]\npick = free\n[device b]\npick = free\n", "run" };
static const Scenario prepared = { "prepared", build_pool, "[device npu]\npick = free\n",
				   "prepare release" };

/* Was it bound to vfio-pci, or tried to be, since the log was cleared? */
static gboolean was_tried(const Machine *machine, const char *card)
{
	g_autofree char *call = g_strconcat("write bus/pci/drivers_probe ", card, NULL);

	for (guint i = 0; i < machine->fs->log->len; i++)
		if (g_str_equal(g_ptr_array_index(machine->fs->log, i), call))
			return TRUE;
	return FALSE;
}

/* "23": which were tried, by their buses. [transfer full] */
static char *tried(const Machine *machine)
{
	return g_strconcat(was_tried(machine, FIRST) ? "2" : "",
			   was_tried(machine, SECOND) ? "3" : "",
			   was_tried(machine, THIRD) ? "4" : "", NULL);
}

static void assert_as_before(Machine *machine)
{
	machine_unload(machine);
	g_autofree char *difference = machine_difference(machine);
	if (difference)
		fail_msg("%s", difference);
}

static void assert_told(const Machine *machine, const char *text)
{
	g_autofree char *messages = machine_messages(machine);

	if (!messages || !strstr(messages, text))
		fail_msg("%s", messages);
}

static gboolean is_held(const Machine *machine, const char *name, const char *reason)
{
	HvrContext context = machine_context(machine);
	g_autoptr(GPtrArray) holds = hvr_holds_read(&context, NULL);

	for (guint i = 0; i < holds->len; i++) {
		const HvrHold *held = g_ptr_array_index(holds, i);
		if (g_str_equal(held->address, name))
			return strstr(held->reason, reason) != NULL;
	}
	return FALSE;
}

static void dead(FakeSysfs *fs)
{
	fake_sysfs_set_dead(fs, FIRST);
}

/* The kernel shows a card that fell off the bus so, once it has tried to wake it. */
static void dead_and_cold(FakeSysfs *fs)
{
	fake_sysfs_set_dead(fs, FIRST);
	fake_sysfs_put_file(fs, "sys/bus/pci/devices/" FIRST "/power_state", "D3cold\n");
}

static void in_use(FakeSysfs *fs)
{
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/hailo0");
}

/* Its group has a network card of the host's. */
static void not_viable(FakeSysfs *fs)
{
	const FakeFunction nic = { .parent = "0000:00:1c.0",
				   .vendor = 0x8086,
				   .device = 0x1533,
				   .class_code = 0x020000,
				   .group = 14,
				   .driver = "igb" };

	fake_sysfs_add_function(fs, "0000:02:00.1", &nic);
}

static void no_bind(FakeSysfs *fs)
{
	fake_sysfs_set_probe_error(fs, FIRST, "vfio-pci", EIO);
}

static void no_bind_of_two(FakeSysfs *fs)
{
	no_bind(fs);
	fake_sysfs_set_probe_error(fs, SECOND, "vfio-pci", EIO);
}

/* There is no node to ask before the card is on vfio-pci. */
static void forbidden(FakeSysfs *fs)
{
	fake_sysfs_forbid_node(fs, "vfio/14");
}

/* What is wrong, which cards were bound or tried to be, what was said, and is the first held? */
static const struct {
	const char *name;
	void (*spoil)(FakeSysfs *fs);
	const char *tried, *told;
	gboolean held;
} cases[] = {
	{ "dead", dead, "3", "another card is taken, as 0000:02:00.0: does not answer", FALSE },
	{ "dead and cold", dead_and_cold, "3", "taken, as 0000:02:00.0: does not answer", FALSE },
	{ "in use", in_use, "3", "", FALSE },
	{ "not viable", not_viable, "3", "taken, as 0000:02:00.0: IOMMU group 14 is not viable",
	  FALSE },
	{ "does not bind", no_bind, "23", "taken, as 0000:02:00.0: cannot bind to vfio-pci", TRUE },
	{ "two do not bind", no_bind_of_two, "234",
	  "taken, as 0000:03:00.0: cannot bind to vfio-pci", TRUE },
	{ "forbidden", forbidden, "23", "taken, as 0000:02:00.0: cannot ask VFIO", FALSE },
};

static Machine *spoilt_machine(const Scenario *scenario, void (*spoil)(FakeSysfs *fs))
{
	Machine *machine = machine_new(scenario);

	spoil(machine->fs);
	/* What is spoilt is how the machine was. */
	g_free(machine->original);
	machine->original = fake_sysfs_snapshot(machine->fs);
	fake_sysfs_clear_log(machine->fs);
	return machine;
}

static void test_next(void **state)
{
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(Machine) machine = spoilt_machine(&one, cases[i].spoil);
		g_autoptr(GError) error = NULL;
		if (!machine_do(machine, "run", &error))
			fail_msg("%s: %s", cases[i].name, error->message);
		g_autofree char *cards = tried(machine);
		if (strcmp(cards, cases[i].tried) != 0)
			fail_msg("%s: tried %s", cases[i].name, cards);
		assert_told(machine, cases[i].told);
		assert_int_equal(is_held(machine, FIRST, ""), cases[i].held);
		assert_as_before(machine);
	}
}

/* Held from then on: the next run does not touch it, and says nothing of it. */
static void test_held_after(void **state)
{
	g_autoptr(Machine) machine = spoilt_machine(&one, no_bind);

	assert_true(machine_do(machine, "run", NULL));
	assert_true(is_held(machine, FIRST, "cannot bind to vfio-pci"));
	assert_told(machine, "hailo-vm-run unhold 0000:02:00.0");
	fake_sysfs_clear_log(machine->fs);
	assert_true(machine_do(machine, "run", NULL));
	g_autofree char *cards = tried(machine);
	assert_string_equal(cards, "3");
}

/* The second section's card fails: the first one's is given up with it, and chosen again. */
static void test_two_sections(void **state)
{
	g_autoptr(Machine) machine = machine_new(&two);
	g_autoptr(GError) error = NULL;

	fake_sysfs_set_probe_error(machine->fs, SECOND, "vfio-pci", EIO);
	if (!machine_do(machine, "run", &error))
		fail_msg("%s", error->message);
	assert_true(was_tried(machine, FIRST) && was_tried(machine, THIRD));
	assert_true(is_held(machine, SECOND, "cannot bind"));
	assert_as_before(machine);
}

static void test_prepare(void **state)
{
	g_autoptr(Machine) machine = spoilt_machine(&prepared, no_bind);

	assert_true(machine_do(machine, "prepare", NULL));
	g_autofree char *driver = fake_sysfs_driver(machine->fs, SECOND);
	assert_string_equal(driver, "vfio-pci");
	assert_true(machine_do(machine, "release", NULL));
	assert_as_before(machine);
}

static void all_dead(FakeSysfs *fs)
{
	fake_sysfs_set_dead(fs, FIRST);
	fake_sysfs_set_dead(fs, SECOND);
	fake_sysfs_set_dead(fs, THIRD);
}

static void all_in_use(FakeSysfs *fs)
{
	fake_sysfs_add_process(fs, 812, "hailortcli", "/dev/hailo0");
	fake_sysfs_add_process(fs, 813, "hailortcli", "/dev/hailo1");
	fake_sysfs_add_process(fs, 814, "hailortcli", "/dev/hailo2");
}

static void one_in_use(FakeSysfs *fs)
{
	fake_sysfs_set_dead(fs, FIRST);
	fake_sysfs_set_dead(fs, THIRD);
	fake_sysfs_add_process(fs, 813, "hailortcli", "/dev/hailo1");
}

static void none_binds(FakeSysfs *fs)
{
	no_bind_of_two(fs);
	fake_sysfs_set_probe_error(fs, THIRD, "vfio-pci", EIO);
}

static void all_forbidden(FakeSysfs *fs)
{
	fake_sysfs_forbid_node(fs, "vfio/14");
	fake_sysfs_forbid_node(fs, "vfio/15");
	fake_sysfs_forbid_node(fs, "vfio/16");
}

/* None is left: whether it is worth trying again is in the status. Each card is named. */
static void test_none_left(void **state)
{
	static const struct {
		const char *name;
		void (*spoil)(FakeSysfs *fs);
		int status;
	} ends[] = {
		{ "all dead", all_dead, 69 },		{ "all in use", all_in_use, 75 },
		{ "one in use", one_in_use, 75 },	{ "none binds", none_binds, 69 },
		{ "all forbidden", all_forbidden, 77 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autoptr(Machine) machine = spoilt_machine(&one, ends[i].spoil);
		g_autoptr(GError) error = NULL;
		assert_false(machine_do(machine, "run", &error));
		if (hvr_exit_status(error) != ends[i].status)
			fail_msg("%s: %s", ends[i].name, error->message);
		if (!strstr(error->message, FIRST) || !strstr(error->message, SECOND) ||
		    !strstr(error->message, THIRD))
			fail_msg("%s: %s", ends[i].name, error->message);
		assert_as_before(machine);
	}
}

/* A card that its driver does not take back is held; that it is mended is for somebody to say. */
static void test_given_up(void **state)
{
	g_autoptr(Machine) machine = machine_new(&one);

	fake_sysfs_set_probe_error(machine->fs, FIRST, "hailo", EIO);
	assert_false(machine_do(machine, "run", NULL));
	assert_true(is_held(machine, FIRST, "cannot bind to hailo"));
	fake_sysfs_set_probe_error(machine->fs, FIRST, "hailo", 0);
	assert_true(machine_do(machine, "release", NULL));
	assert_true(is_held(machine, FIRST, "cannot bind to hailo"));
	assert_as_before(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),	     cmocka_unit_test(test_held_after),
		cmocka_unit_test(test_two_sections), cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_none_left),    cmocka_unit_test(test_given_up),
	};

	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
