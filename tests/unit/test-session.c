/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cards that leave and join a running VM: whatever the guest and QEMU do, a card is either in the
 * VM, or with the host as it was, and whoever asked is told once.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/session/ending.h"
#include "launcher/session/panic.h"
#include "launcher/session/plug.h"
#include "launcher/session/reason.h"
#include "launcher/session/shutdown.h"
#include "tests/unit/session-fixture.h"

#define CARD	"0000:02:00.0"
#define NIC	"0000:02:00.1"
#define LONG_MS 600000

static const HvrEndedHow ended = { .why = "it ended" };

static void unplug(VmFixture *f, const char *device, guint timeout_ms, gboolean keep)
{
	hvr_hotplug_unplug(f->hotplug, device, timeout_ms, keep, vm_fixture_done, f);
}

static void device_deleted(VmFixture *f, const char *id)
{
	g_autofree char *data = g_strdup_printf("{\"device\": \"%s\", \"path\": \"/x\"}", id);

	qmp_peer_event(f->peer, "DEVICE_DELETED", data);
	vm_fixture_settle(f);
}

static void assert_told(VmFixture *f, const char *wanted)
{
	g_autofree char *told = vm_fixture_wait_told(f);

	assert_string_equal(told, wanted);
}

/* The record on disk says of the first device that it is in the VM, or not. */
static gboolean record_says_in_vm(VmFixture *f)
{
	g_autofree char *text = fake_sysfs_text(f->fs, "run/hailo-vm-run/vms/lab/vm.ini");

	assert_non_null(text);
	assert_true(strstr(text, "in_vm=true") || strstr(text, "in_vm=false"));
	return strstr(text, "in_vm=true") != NULL;
}

/* Asked, let go of, given back, told: in this order; the lock is free and the VM runs on. */
static void test_unplug(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	qmp_peer_returns(f->peer, "device_del", "{}");
	unplug(f, "npu", LONG_MS, FALSE);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 1));
	vm_fixture_settle(f);
	assert_string_equal(f->told->str, "");
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
	assert_true(vm_fixture_is_locked(f, 14));
	device_deleted(f, "npu");
	assert_told(f, "done\n");
	vm_fixture_assert_given_back(f);
	assert_false(vm_fixture_is_locked(f, 14));
	assert_false(record_says_in_vm(f));
	assert_false(f->session->qemu_ended);
}

/* With --keep the card stays on vfio-pci, for nobody, and free. */
static void test_unplug_keep(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	qmp_peer_returns(f->peer, "device_del", "{}");
	unplug(f, "npu", LONG_MS, TRUE);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 1));
	device_deleted(f, "npu");
	assert_told(f, "done\n");
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
	assert_false(vm_fixture_is_locked(f, 14));
	g_autofree char *unaccounted = machine_unaccounted(f->machine);
	assert_null(unaccounted);
}

/* A guest that is silent: 75, and nothing is rebound; when it lets go at last, that counts. */
static void test_late(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	qmp_peer_returns(f->peer, "device_del", "{}");
	unplug(f, "npu", 5, FALSE);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_true(g_str_has_prefix(told, "75 "));
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
	assert_true(vm_fixture_is_locked(f, 14));
	device_deleted(f, "npu");
	vm_fixture_assert_given_back(f);
	assert_false(vm_fixture_is_locked(f, 14));
	assert_false(record_says_in_vm(f));
}

/* A device that leaves without having been asked goes back too. */
static void test_unasked(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	device_deleted(f, "npu");
	vm_fixture_assert_given_back(f);
	device_deleted(f, "npu");
	vm_fixture_assert_given_back(f);
}

/* Events of others, without a device, or of no sense, move nothing. */
static void test_foreign_events(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	device_deleted(f, "hvr-port-0");
	qmp_peer_event(f->peer, "DEVICE_DELETED", "{\"path\": \"/machine/peripheral/npu/x\"}");
	qmp_peer_event(f->peer, "DEVICE_DELETED", "{\"device\": 7}");
	qmp_peer_event(f->peer, "RESET", "{\"guest\": true}");
	vm_fixture_settle(f);
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
	assert_true(hvr_session_device(f->session, "npu")->in_vm);
}

/* QEMU says no: its words, and nothing is rebound. */
static void test_refused(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	qmp_peer_fails(f->peer, "device_del", "GenericError",
		       "Bus 'x' does not support hotplugging");
	unplug(f, "npu", LONG_MS, FALSE);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_true(g_str_has_prefix(told, "76 "));
	assert_non_null(strstr(told, "does not support hotplugging"));
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
}

/* A group leaves function by function, and goes back as a whole, when the last has left. */
static void test_group(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("century, pass");

	qmp_peer_returns(f->peer, "device_del", "{}");
	unplug(f, "npu", LONG_MS, FALSE);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 3));
	device_deleted(f, "npu");
	device_deleted(f, "npu-02-00-2");
	assert_string_equal(f->told->str, "");
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
	vm_fixture_assert_driver(f, NIC, "vfio-pci");
	assert_true(vm_fixture_is_locked(f, 14));
	device_deleted(f, "npu-02-00-1");
	assert_told(f, "done\n");
	vm_fixture_assert_given_back(f);
	assert_false(vm_fixture_is_locked(f, 14));
	unplug(f, "npu", LONG_MS, FALSE);
	assert_told(f, "64 device 'npu' is not in VM 'lab'\n"
		       "to put it there: hailo-vm-run plug lab npu\n");
}

/* What the VM does not have is no device of it, and the message says what it has. */
static void test_unknown(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("century, pass");

	unplug(f, "disk", LONG_MS, FALSE);
	assert_told(f, "64 VM 'lab' has no device 'disk'\nit has npu\n");
	unplug(f, "nup", LONG_MS, FALSE);
	assert_told(f, "64 VM 'lab' has no device 'nup'\ndid you mean 'npu'?\n");
	unplug(f, "npu-02-00-1", LONG_MS, FALSE);
	assert_told(f, "64 VM 'lab' has no device 'npu-02-00-1'\nit has npu\n");
	assert_int_equal(qmp_peer_count(f->peer, "device_del"), 0);
}

/* The host driver does not take it back: whoever asked is told, and the journal keeps it. */
static void test_giving_back_fails(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	fake_sysfs_set_probe_error(f->fs, CARD, "hailo", EIO);
	qmp_peer_returns(f->peer, "device_del", "{}");
	unplug(f, "npu", LONG_MS, FALSE);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 1));
	device_deleted(f, "npu");
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_true(g_str_has_prefix(told, "71 " CARD ": cannot bind to hailo"));
	g_autofree char *unaccounted = machine_unaccounted(f->machine);
	assert_null(unaccounted);
	fake_sysfs_set_probe_error(f->fs, CARD, "hailo", 0);
	assert_true(machine_do(f->machine, "release", NULL));
	vm_fixture_assert_given_back(f);
}

/* As above; by the end of the VM somebody else may be at it, who then answers for it. */
static void test_end_after_failure(void **state)
{
	for (guint others = 0; others < 2; others++) {
		g_autoptr(VmFixture) f = vm_fixture_new("card");
		HvrLock *lock = NULL;

		fake_sysfs_set_probe_error(f->fs, CARD, "hailo", EIO);
		device_deleted(f, "npu");
		assert_false(vm_fixture_is_locked(f, 14));
		fake_sysfs_set_probe_error(f->fs, CARD, "hailo", 0);
		vm_fixture_kill_qemu(f);
		if (others)
			lock = hvr_lock_try(&f->context.host, f->context.runtime, "group-14", NULL,
					    NULL);
		assert_true(lock || !others);
		assert_true(hvr_ending_finish(&f->context, f->session->vm, &ended,
					      f->session->locks, NULL));
		vm_fixture_assert_driver(f, CARD, others ? "none" : "hailo");
		assert_int_equal(vm_fixture_is_locked(f, 14), others);
		hvr_lock_release(lock);
		assert_true(!others || machine_do(f->machine, "release", NULL));
		vm_fixture_assert_given_back(f);
	}
}

/* Why a VM has ended: what was asked of it, an error, or QEMU's own word (qapi/run-state.json). */
static void test_reason(void **state)
{
	const HvrShutdownTimes times = { .powerdown_ms = LONG_MS, .quit_ms = LONG_MS };
	static const struct {
		const char *cause; /* NULL: it says nothing */
		gboolean asked;
		const char *end; /* NULL: no error */
		const char *why;
	} cases[] = {
		{ "guest-shutdown", FALSE, NULL, "guest powered off" },
		{ "guest-panic", FALSE, NULL, "the guest's kernel panicked" },
		{ "host-qmp-quit", FALSE, NULL, "QEMU was told to end by its monitor" },
		{ "guest-shutdown", TRUE, NULL, "stopped: the guest powered off when asked" },
		{ "host-qmp-quit", TRUE, NULL, "stopped: QEMU was ended" },
		{ NULL, TRUE, NULL, "stopped: QEMU was ended" },
		{ NULL, FALSE, "QEMU was ended by signal 11 (x)\nhint",
		  "QEMU was ended by signal 11 (x)" },
		{ "what-is-new", FALSE, NULL, "QEMU ended" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VmFixture) f = vm_fixture_new("card");
		HvrReason *reason = hvr_reason_new(f->session);
		g_autofree char *data =
			g_strdup_printf("{\"guest\": true, \"reason\": \"%s\"}", cases[i].cause);
		g_autoptr(GError) end = NULL;

		qmp_peer_returns(f->peer, "system_powerdown", "{}");
		if (cases[i].asked)
			hvr_session_stop(f->session, &times, vm_fixture_done, f);
		if (cases[i].cause)
			qmp_peer_event(f->peer, "SHUTDOWN", data);
		vm_fixture_settle(f);
		if (cases[i].end)
			end = g_error_new_literal(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
						  cases[i].end);
		g_autofree char *why = hvr_reason_text(reason, end);
		assert_string_equal(why, cases[i].why);
		hvr_reason_free(reason);
		vm_fixture_kill_qemu(f);
		hvr_ending_finish(&f->context, f->session->vm, &ended, f->session->locks, NULL);
	}
}

/* What is left of it says what could not be given back, and with which status `run` ended. */
static void test_put_away(void **state)
{
	for (guint fails = 0; fails < 2; fails++) {
		g_autoptr(VmFixture) f = vm_fixture_new("card");
		g_autoptr(GError) error = NULL;

		fake_sysfs_set_probe_error(f->fs, CARD, "hailo", fails ? EIO : 0);
		vm_fixture_kill_qemu(f);
		hvr_ending_finish(&f->context, f->session->vm, &ended, f->session->locks, &error);
		assert_int_equal(error != NULL, fails);
		assert_false(fake_sysfs_exists(f->fs, "run/hailo-vm-run/vms/lab"));
		g_autofree char *text =
			fake_sysfs_text(f->fs, "run/hailo-vm-run/ended/lab/ended.ini");
		assert_non_null(text);
		assert_non_null(strstr(text, fails ? "why=it ended; " CARD ": cannot bind to hailo"
						   : "why=it ended\n"));
		assert_non_null(strstr(text, fails ? "status=71" : "status=0"));
	}
}

/* Two at once: one asks, the other finds it pending, both are done. */
static void test_two_at_once(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	qmp_peer_answers(f->peer, "device_del", "{\"return\": {}, \"id\": $ID}\n");
	qmp_peer_fails(f->peer, "device_del", "GenericError",
		       "Device npu is already in the process of unplug");
	unplug(f, "npu", LONG_MS, FALSE);
	unplug(f, "npu", LONG_MS, FALSE);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 2));
	device_deleted(f, "npu");
	assert_told(f, "done\ndone\n");
	vm_fixture_assert_given_back(f);
}

/* QEMU ends during it: told as that, and giving back is the business of who sees the end. */
static void test_qemu_ends(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	qmp_peer_returns(f->peer, "device_del", "{}");
	unplug(f, "npu", LONG_MS, FALSE);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 1));
	vm_fixture_kill_qemu(f);
	qmp_peer_close(f->peer);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_true(g_str_has_prefix(told, "69 "));
	assert_int_equal(f->session->wait_status, SIGKILL);
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
	hvr_session_run(f->session); /* returns at once */
}

/* Out, in, out and in again: prepared anew each time, on a free port, and in the record. */
static void test_plug(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	qmp_peer_returns(f->peer, "device_add", "{}");
	for (guint i = 1; i <= 20; i++) {
		device_deleted(f, "npu");
		vm_fixture_assert_given_back(f);
		hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
		assert_true(qmp_peer_wait_for(f->peer, "device_add", i));
		assert_non_null(strstr(qmp_peer_last_line(f->peer), CARD));
		assert_told(f, "done\n");
		assert_int_equal(qmp_peer_count(f->peer, "device_add"), i);
		vm_fixture_assert_driver(f, CARD, "vfio-pci");
		assert_true(vm_fixture_is_locked(f, 14));
		assert_true(record_says_in_vm(f));
		assert_int_equal(f->session->locks->len, 1);
		assert_int_equal(f->session->vm->devices->len, 1);
	}
}

/* What the profile says of a card is said again, and a ROM that is not there is missed before the
 * card moves. */
static void test_plug_properties(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	HvrProfileDevice *device = f->machine->profile->devices->pdata[0];

	qmp_peer_returns(f->peer, "device_add", "{}");
	device_deleted(f, "npu");
	vm_fixture_assert_given_back(f);
	device->romfile = g_strdup("/nowhere/card.rom");
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_true(g_str_has_prefix(
		told, "78 [device npu] romfile: '/nowhere/card.rom' does not exist"));
	assert_int_equal(qmp_peer_count(f->peer, "device_add"), 0);
	vm_fixture_assert_driver(f, CARD, "hailo");
	g_clear_pointer(&device->romfile, g_free);
	device->rombar = FALSE;
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	assert_true(qmp_peer_wait_for(f->peer, "device_add", 1));
	assert_non_null(strstr(qmp_peer_last_line(f->peer), "\"rombar\":0"));
	assert_told(f, "done\n");
}

static void plug_on(VmFixture *f, const char *id, guint times, const char *port)
{
	g_autofree char *bus = g_strdup_printf("\"bus\":\"%s\"", port);

	hvr_plug(f->hotplug, id, vm_fixture_done, f);
	assert_true(qmp_peer_wait_for(f->peer, "device_add", times));
	assert_non_null(strstr(qmp_peer_last_line(f->peer), bus));
	assert_told(f, "done\n");
	assert_string_equal(hvr_session_device(f->session, id)->port, port);
}

/* A card comes back to the slot that it was in, whichever left first; also when another process
 * answers for the VM, from its record. */
static void test_plug_same_port(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("two cards");
	const char *a = "hvr-port0", *b = "hvr-port1";

	qmp_peer_returns(f->peer, "device_add", "{}");
	device_deleted(f, "a");
	vm_fixture_settle(f);
	device_deleted(f, "b");
	vm_fixture_settle(f);
	plug_on(f, "b", 1, b);
	plug_on(f, "a", 2, a);
	device_deleted(f, "b");
	vm_fixture_settle(f);
	g_autoptr(HvrVm) record = hvr_vm_read(&f->context, "lab", NULL);
	assert_non_null(record);
	HvrVm *own = f->session->vm;
	f->session->vm = record;
	plug_on(f, "b", 3, b);
	f->session->vm = own;
}

/* As of a card that QEMU began with, the lock is held for as long as QEMU lives, whatever becomes
 * of the supervisor. */
static void test_plug_lock(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	device_deleted(f, "npu");
	qmp_peer_returns(f->peer, "device_add", "{}");
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	assert_true(qmp_peer_wait_for(f->peer, "getfd", 1));
	int given = qmp_peer_take_fd(f->peer);
	assert_true(given >= 0);
	assert_int_equal(fcntl(given, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_told(f, "done\n");
	assert_int_equal(qmp_peer_count(f->peer, "getfd"), 1);

	HvrLock *ours = hvr_lock_find(f->session->locks, "group-14");
	g_ptr_array_remove(f->session->locks, ours);
	hvr_lock_leave(ours);
	assert_true(vm_fixture_is_locked(f, 14));
	close(given);
	assert_true(vm_fixture_is_locked(f, 14));
	machine_hide_process(f->machine, f->qemu);
	assert_false(vm_fixture_is_locked(f, 14));
}

/* A whole group: the lock goes with the first function. One that QEMU does not take ends it; what
 * is in by then stays in, and leaves with the group. */
static void test_plug_group(void **state)
{
	for (guint fails = 0; fails < 2; fails++) {
		g_autoptr(VmFixture) f = vm_fixture_new("century, pass");
		const char *heard = fails ? "device_add getfd device_add"
					  : "device_add getfd device_add device_add";

		device_deleted(f, "npu");
		device_deleted(f, "npu-02-00-1");
		device_deleted(f, "npu-02-00-2");
		vm_fixture_assert_given_back(f);
		qmp_peer_returns(f->peer, "device_add", "{}");
		if (fails)
			qmp_peer_fails(f->peer, "device_add", "GenericError", "no");
		hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
		assert_told(f, fails ? "76 no\n" : "done\n");
		assert_true(g_str_has_suffix(qmp_peer_heard(f->peer), heard));
		assert_true(vm_fixture_is_locked(f, 14));
		vm_fixture_assert_driver(f, CARD, "vfio-pci");

		device_deleted(f, "npu");
		device_deleted(f, "npu-02-00-1");
		device_deleted(f, "npu-02-00-2");
		vm_fixture_assert_given_back(f);
		assert_false(vm_fixture_is_locked(f, 14));
	}
}

/* The functions of one slot leave together, whichever groups they are in, and come together: the
 * guest is told with function 0, so that is the last, and behind it what else the groups have. */
static void test_slot(void **state)
{
	static const struct {
		const char *scenario, *first, *second, *rest, *heard;
	} cases[] = {
		{ "one slot, two groups", "a", "b", NULL, "device_add getfd device_add getfd" },
		{ "one slot, one group", "npu", "nic", "npu-02-00-2",
		  "device_add getfd device_add device_add" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VmFixture) f = vm_fixture_new(cases[i].scenario);
		guint n = cases[i].rest ? 3 : 2;

		qmp_peer_returns(f->peer, "device_del", "{}");
		qmp_peer_returns(f->peer, "device_add", "{}");
		unplug(f, cases[i].first, LONG_MS, FALSE);
		assert_true(qmp_peer_wait_for(f->peer, "device_del", n));
		device_deleted(f, cases[i].first);
		if (cases[i].rest)
			device_deleted(f, cases[i].rest);
		assert_string_equal(f->told->str, "");
		device_deleted(f, cases[i].second);
		assert_told(f, "done\n");
		vm_fixture_assert_given_back(f);

		hvr_plug(f->hotplug, cases[i].first, vm_fixture_done, f);
		assert_told(f, "done\n");
		assert_true(g_str_has_suffix(qmp_peer_heard(f->peer), cases[i].heard));
		const HvrVmDevice *first = hvr_session_device(f->session, cases[i].first);
		const HvrVmDevice *second = hvr_session_device(f->session, cases[i].second);
		assert_string_equal(first->port, second->port);
		assert_int_equal(first->function, 0);
		assert_int_equal(second->function, 1);
		assert_true(first->in_vm && second->in_vm);
		guint place = 0;
		g_ptr_array_find(f->session->vm->devices, second, &place);
		assert_ptr_equal(f->session->vm->devices->pdata[place + 1], first);
		device_deleted(f, cases[i].first);
		device_deleted(f, cases[i].second);
		if (cases[i].rest)
			device_deleted(f, cases[i].rest);
		vm_fixture_assert_given_back(f);
	}
}

/* Of two sections of a slot the second's card fails: another is taken for that one, and the first
 * keeps its own. */
static void test_slot_another(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("one slot, two groups");
	GPtrArray *devices = ((HvrProfile *)f->session->profile)->devices;

	qmp_peer_returns(f->peer, "device_add", "{}");
	device_deleted(f, "a");
	device_deleted(f, "b");
	vm_fixture_assert_given_back(f);
	for (guint i = 0; i < devices->len; i++) {
		HvrProfileDevice *device = g_ptr_array_index(devices, i);
		device->by = HVR_SELECT_MATCH;
		device->vendor = 0x1e60;
		device->device = 0x2864;
		device->pick = HVR_PICK_FREE;
	}
	fake_sysfs_add_hailo8(f->fs, "0000:00:1c.6", "0000:04:00.0", 16, 2);
	fake_sysfs_set_probe_error(f->fs, "0000:03:00.0", "vfio-pci", EIO);
	hvr_plug(f->hotplug, "a", vm_fixture_done, f);
	assert_told(f, "done\n");
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
	vm_fixture_assert_driver(f, "0000:03:00.0", "hailo");
	vm_fixture_assert_driver(f, "0000:04:00.0", "vfio-pci");
	assert_string_equal(hvr_session_device(f->session, "a")->address, CARD);
	assert_string_equal(hvr_session_device(f->session, "b")->address, "0000:04:00.0");
}

/* A guest that is quick lets go of both at the first word: QEMU does not know the second any more
 * when it is asked for it, and its event is yet to come. */
static void test_slot_quick(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("one slot, two groups");

	qmp_peer_returns(f->peer, "device_del", "{}");
	qmp_peer_fails(f->peer, "device_del", "DeviceNotFound", "Device 'b' not found");
	unplug(f, "a", LONG_MS, FALSE);
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 2));
	device_deleted(f, "a");
	assert_string_equal(f->told->str, "");
	device_deleted(f, "b");
	assert_told(f, "done\n");
	vm_fixture_assert_given_back(f);
}

#define GIB_16 "0x0000003800000000 0x0000003bffffffff 0x000000000014220c\n"

static void set_bars(VmFixture *f, const char *text)
{
	fake_sysfs_put_file(f->fs, "sys/bus/pci/devices/" CARD "/resource", text);
}

/* A card goes where its BARs have room: a port has the windows that it had when the guest began,
 * and without room the card stays where it is. */
static void test_plug_room(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	HvrVmDevice *device = hvr_session_device(f->session, "npu");

	qmp_peer_returns(f->peer, "device_add", "{}");
	device_deleted(f, "npu");
	vm_fixture_assert_given_back(f);
	set_bars(f, GIB_16);
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	assert_told(
		f, "69 device 'npu': its BARs take 16384 MiB of 64-bit memory and 0 MiB of other, "
		   "and no free port of VM 'lab' has windows for them\nstart the VM anew with this "
		   "card: its port gets them then\n");
	assert_int_equal(qmp_peer_count(f->peer, "device_add"), 0);
	vm_fixture_assert_driver(f, CARD, "hailo");
	assert_false(vm_fixture_is_locked(f, 14));

	/* twice that is what a BIOS may need for it */
	device->prefetchable = G_GUINT64_CONSTANT(32) << 30;
	hvr_session_save(f->session);
	g_autoptr(HvrVm) record = hvr_vm_read(&f->context, "lab", NULL);
	HvrVm *own = f->session->vm;
	f->session->vm = record;
	plug_on(f, "npu", 1, "hvr-port0");
	f->session->vm = own;
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
}

/* One function of a slot by itself neither leaves nor comes; nothing is asked of QEMU. */
static void test_slot_part(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("one slot, two groups");

	unplug(f, "b", LONG_MS, FALSE);
	assert_told(f, "64 device 'b' is a function of the slot of 'a', and leaves with it\n"
		       "to take all of it out: hailo-vm-run unplug lab a\n");
	assert_int_equal(qmp_peer_count(f->peer, "device_del"), 0);
	device_deleted(f, "a");
	device_deleted(f, "b");
	vm_fixture_assert_given_back(f);
	hvr_plug(f->hotplug, "b", vm_fixture_done, f);
	assert_told(f, "64 device 'b' is a function of the slot of 'a', and comes with it\n"
		       "to put all of it there: hailo-vm-run plug lab a\n");
	assert_int_equal(qmp_peer_count(f->peer, "device_add"), 0);
	vm_fixture_assert_given_back(f);
}

/* QEMU takes function 1 and not function 0, or neither: what it has not goes back, and what it has
 * leaves by the name of the slot. */
static void test_slot_torn(void **state)
{
	for (guint taken = 0; taken < 2; taken++) {
		g_autoptr(VmFixture) f = vm_fixture_new("one slot, two groups");

		device_deleted(f, "a");
		device_deleted(f, "b");
		vm_fixture_assert_given_back(f);
		if (taken)
			qmp_peer_returns(f->peer, "device_add", "{}");
		qmp_peer_fails(f->peer, "device_add", "GenericError", "no");
		hvr_plug(f->hotplug, "a", vm_fixture_done, f);
		assert_told(f,
			    taken ? "76 no\nwithout function 0 the guest does not see the rest of "
				    "the slot; to take it out: hailo-vm-run unplug lab a\n"
				  : "76 no\n");
		vm_fixture_assert_driver(f, CARD, "hailo");
		assert_false(vm_fixture_is_locked(f, 14));
		vm_fixture_assert_driver(f, "0000:03:00.0", taken ? "vfio-pci" : "hailo");
		if (!taken) {
			vm_fixture_assert_given_back(f);
			continue;
		}
		hvr_plug(f->hotplug, "a", vm_fixture_done, f);
		assert_told(f, "64 device 'b' is in VM 'lab' already\n");
		qmp_peer_returns(f->peer, "device_del", "{}");
		unplug(f, "a", LONG_MS, FALSE);
		assert_true(qmp_peer_wait_for(f->peer, "device_del", 1));
		device_deleted(f, "b");
		assert_told(f, "done\n");
		vm_fixture_assert_given_back(f);
	}
}

/* The card has left before QEMU could be given its lock. */
static void test_plug_leaves_at_once(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	device_deleted(f, "npu");
	qmp_peer_answers(f->peer, "device_add",
			 "{\"return\": {}, \"id\": $ID}\n"
			 "{\"event\": \"DEVICE_DELETED\", \"data\": {\"device\": \"npu\"}}\n");
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	assert_told(f, "done\n");
	vm_fixture_settle(f);
	vm_fixture_assert_given_back(f);
	assert_false(vm_fixture_is_locked(f, 14));
	assert_false(record_says_in_vm(f));
}

/* QEMU does not take it: the card is in the VM all the same. */
static void test_plug_lock_refused(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	device_deleted(f, "npu");
	qmp_peer_returns(f->peer, "device_add", "{}");
	qmp_peer_fails(f->peer, "getfd", "GenericError", "No file descriptor supplied");
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	assert_told(f, "done\n");
	assert_true(record_says_in_vm(f));
	assert_true(vm_fixture_is_locked(f, 14));
	device_deleted(f, "npu");
	vm_fixture_assert_given_back(f);
	assert_false(vm_fixture_is_locked(f, 14));
}

/* What the VM took at its start, such as the host's last huge pages, is not asked for again. */
static void test_plug_only(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	f->machine->profile->memory.hugepages = HVR_PAGES_2M;
	device_deleted(f, "npu");
	qmp_peer_returns(f->peer, "device_add", "{}");
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	assert_told(f, "done\n");
}

/* Where any card will do: one that does not bind is back where it was, and another one comes. */
static void test_plug_another(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	HvrProfileDevice *device = g_ptr_array_index(f->machine->profile->devices, 0);

	device_deleted(f, "npu");
	vm_fixture_settle(f);
	fake_sysfs_add_hailo8(f->fs, "0000:00:1c.5", "0000:03:00.0", 15, 1);
	fake_sysfs_set_probe_error(f->fs, CARD, "vfio-pci", EIO);
	device->pick = HVR_PICK_FREE;
	qmp_peer_returns(f->peer, "device_add", "{}");
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	assert_true(qmp_peer_wait_for(f->peer, "device_add", 1));
	assert_non_null(strstr(qmp_peer_last_line(f->peer), "0000:03:00.0"));
	assert_told(f, "done\n");
	vm_fixture_assert_driver(f, CARD, "hailo");
	vm_fixture_assert_driver(f, "0000:03:00.0", "vfio-pci");
	assert_false(vm_fixture_is_locked(f, 14));
	assert_true(vm_fixture_is_locked(f, 15));
}

/* QEMU does not take it: its words with their meaning, and the host has the card again. */
static void test_plug_fails(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	device_deleted(f, "npu");
	qmp_peer_fails(f->peer, "device_add", "GenericError",
		       "vfio: Unable to power on device, stuck in D3");
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_true(g_str_has_prefix(told, "76 "));
	assert_non_null(strstr(told, "Unable to power on device, stuck in D3"));
	assert_non_null(strstr(told, "the card does not leave its sleep (D3): either its link"));
	vm_fixture_assert_given_back(f);
	assert_false(vm_fixture_is_locked(f, 14));
	assert_false(record_says_in_vm(f));
}

/* QEMU does not say in time how it went, or fails and has the group open: the card counts as in the
 * VM, is nobody else's, and leaves as any other. */
static void test_plug_undecided(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	device_deleted(f, "npu");
	qmp_peer_fails(f->peer, "device_add", "GenericError", "no idea");
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	assert_true(qmp_peer_wait_for(f->peer, "device_add", 1));
	fake_sysfs_set_in_use(f->fs, 14, TRUE);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_true(g_str_has_prefix(told, "76 "));
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
	assert_true(vm_fixture_is_locked(f, 14));
	assert_true(record_says_in_vm(f));

	fake_sysfs_set_in_use(f->fs, 14, FALSE);
	qmp_peer_fails(f->peer, "device_del", "DeviceNotFound", "Device 'npu' not found");
	unplug(f, "npu", LONG_MS, FALSE);
	assert_told(f, "done\n");
	vm_fixture_assert_given_back(f);
	assert_false(vm_fixture_is_locked(f, 14));
}

/* A card that cannot be prepared never reaches QEMU. */
static void test_plug_not_prepared(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	device_deleted(f, "npu");
	fake_sysfs_set_probe_error(f->fs, CARD, "vfio-pci", EIO);
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_true(g_str_has_prefix(told, "71 " CARD ": cannot bind to vfio-pci"));
	assert_int_equal(qmp_peer_count(f->peer, "device_add"), 0);
	vm_fixture_assert_given_back(f);
	assert_false(vm_fixture_is_locked(f, 14));
}

/* What is in the VM, and what the profile does not know, cannot be plugged. */
static void test_plug_wrong(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	assert_told(f, "64 device 'npu' is in VM 'lab' already\n");
	hvr_plug(f->hotplug, "disk", vm_fixture_done, f);
	assert_told(f, "64 the profile of VM 'lab' has no [device disk]\nit has npu\n");
	hvr_plug(f->hotplug, "pnu", vm_fixture_done, f);
	assert_told(f, "64 the profile of VM 'lab' has no [device pnu]\ndid you mean 'npu'?\n");
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
}

/* A guest that ignores the power button is ended by quit, a QEMU that ignores that by force. */
static void test_stop(void **state)
{
	const HvrShutdownTimes times = { .powerdown_ms = 1, .quit_ms = LONG_MS };
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	qmp_peer_returns(f->peer, "system_powerdown", "{}");
	qmp_peer_returns(f->peer, "quit", "{}");
	hvr_session_stop(f->session, &times, vm_fixture_done, f);
	assert_true(qmp_peer_wait_for(f->peer, "system_powerdown", 1));
	assert_true(qmp_peer_wait_for(f->peer, "quit", 1));
	assert_false(f->session->qemu_ended);
	hvr_shutdown_hurry(f->session->shutdown);
	hvr_session_run(f->session);
	assert_true(f->session->qemu_ended);
	assert_int_equal(f->session->wait_status, SIGKILL);
	assert_string_equal(f->told->str, "");
	hvr_session_stopped(f->session, NULL);
	assert_string_equal(f->told->str, "done\n");
}

/* Forced: quit at once; several who ask are all told, once. */
static void test_stop_forced(void **state)
{
	const HvrShutdownTimes forced = { .quit_ms = LONG_MS };
	const HvrShutdownTimes asked = { .powerdown_ms = LONG_MS, .quit_ms = LONG_MS };
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	qmp_peer_returns(f->peer, "quit", "{}");
	hvr_session_stop(f->session, &forced, vm_fixture_done, f);
	hvr_session_stop(f->session, &asked, vm_fixture_done, f);
	assert_true(qmp_peer_wait_for(f->peer, "quit", 1));
	assert_int_equal(qmp_peer_count(f->peer, "system_powerdown"), 0);
	vm_fixture_kill_qemu(f);
	hvr_session_stopped(f->session, NULL);
	hvr_session_stopped(f->session, NULL);
	assert_string_equal(f->told->str, "done\ndone\n");
}

/* Whoever asks again with less time gets it; nobody gives more. */
static void test_stop_sooner(void **state)
{
	const HvrShutdownTimes late = { .powerdown_ms = LONG_MS, .quit_ms = LONG_MS };
	const HvrShutdownTimes soon = { .powerdown_ms = 1, .quit_ms = 1 };
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	qmp_peer_returns(f->peer, "system_powerdown", "{}");
	qmp_peer_returns(f->peer, "quit", "{}");
	hvr_session_stop(f->session, &late, vm_fixture_done, f);
	assert_true(qmp_peer_wait_for(f->peer, "system_powerdown", 1));
	hvr_session_stop(f->session, &soon, vm_fixture_done, f);
	hvr_session_stop(f->session, &late, vm_fixture_done, f);
	hvr_session_run(f->session);
	assert_int_equal(f->session->wait_status, SIGKILL);
	assert_int_equal(hvr_shutdown_stage(f->session->shutdown), HVR_SHUTDOWN_KILL);
	assert_int_equal(qmp_peer_count(f->peer, "quit"), 1);
	hvr_session_stopped(f->session, NULL);
}

/* A guest that is paused hears nothing of the power button: it goes on for it. */
static void test_stop_paused(void **state)
{
	const HvrShutdownTimes times = { .powerdown_ms = LONG_MS, .quit_ms = LONG_MS };
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	HvrPanic *panic = hvr_panic_new(f->session);

	qmp_peer_returns(f->peer, "cont", "{}");
	qmp_peer_returns(f->peer, "system_powerdown", "{}");
	qmp_peer_event(f->peer, "STOP", NULL);
	vm_fixture_turn(f);
	g_autofree char *paused = fake_sysfs_text(f->fs, "run/hailo-vm-run/vms/lab/vm.ini");
	assert_non_null(strstr(paused, "paused=true"));
	hvr_session_stop(f->session, &times, vm_fixture_done, f);
	assert_true(qmp_peer_wait_for(f->peer, "system_powerdown", 1));
	assert_int_equal(qmp_peer_count(f->peer, "cont"), 1);
	qmp_peer_event(f->peer, "RESUME", NULL);
	vm_fixture_turn(f);
	assert_false(f->session->vm->paused);
	hvr_panic_free(panic);
	vm_fixture_kill_qemu(f);
	hvr_session_stopped(f->session, NULL);
}

/* A termination signal is a power-down, a second one hurries. */
static void test_signals(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");

	hvr_interrupt_note(0);
	qmp_peer_returns(f->peer, "system_powerdown", "{}");
	qmp_peer_returns(f->peer, "quit", "{}");
	kill(getpid(), SIGTERM);
	assert_true(qmp_peer_wait_for(f->peer, "system_powerdown", 1));
	assert_int_equal(hvr_interrupt_pending(), SIGTERM);
	assert_int_equal(qmp_peer_count(f->peer, "quit"), 0);
	kill(getpid(), SIGINT);
	assert_true(qmp_peer_wait_for(f->peer, "quit", 1));
	kill(getpid(), SIGINT);
	hvr_session_run(f->session);
	assert_int_equal(f->session->wait_status, SIGKILL);
	hvr_interrupt_note(0);
}

/* A guest whose kernel has panicked is not "ready", until it starts anew. The words are QEMU 7.2's.
 */
static void test_panic(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	HvrPanic *panic = hvr_panic_new(f->session);

	qmp_peer_event(f->peer, "GUEST_PANICKED", "{\"action\": \"run\"}");
	vm_fixture_turn(f);
	assert_true(f->session->vm->panicked);
	g_autofree char *panicked = fake_sysfs_text(f->fs, "run/hailo-vm-run/vms/lab/vm.ini");
	assert_non_null(strstr(panicked, "panicked=true"));
	qmp_peer_event(f->peer, "RESET",
		       "{\"guest\": false, \"reason\": \"host-qmp-system-reset\"}");
	vm_fixture_turn(f);
	assert_null(f->session->failure);
	g_autofree char *reset = fake_sysfs_text(f->fs, "run/hailo-vm-run/vms/lab/vm.ini");
	assert_non_null(strstr(reset, "panicked=false"));
	hvr_panic_free(panic);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unplug),
		cmocka_unit_test(test_unplug_keep),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_foreign_events),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_giving_back_fails),
		cmocka_unit_test(test_end_after_failure),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_put_away),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_qemu_ends),
		cmocka_unit_test(test_plug),
		cmocka_unit_test(test_plug_properties),
		cmocka_unit_test(test_plug_same_port),
		cmocka_unit_test(test_plug_lock),
		cmocka_unit_test(test_plug_lock_refused),
		cmocka_unit_test(test_plug_group),
		cmocka_unit_test(test_slot),
		cmocka_unit_test(test_slot_another),
		cmocka_unit_test(test_plug_room),
		cmocka_unit_test(test_slot_quick),
		cmocka_unit_test(test_slot_part),
		cmocka_unit_test(test_slot_torn),
		cmocka_unit_test(test_plug_leaves_at_once),
		cmocka_unit_test(test_plug_only),
		cmocka_unit_test(test_plug_another),
		cmocka_unit_test(test_plug_fails),
		cmocka_unit_test(test_plug_undecided),
		cmocka_unit_test(test_plug_not_prepared),
		cmocka_unit_test(test_plug_wrong),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_stop_forced),
		cmocka_unit_test(test_stop_sooner),
		cmocka_unit_test(test_stop_paused),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_panic),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	umask(077);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
