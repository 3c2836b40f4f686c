/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cards that come when a saved guest goes on: all of them or why not, another one in the place of
 * one that cannot be had, and none into a VM that goes. The guest is a scripted monitor's.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/session/arrival.h"
#include "launcher/session/ending.h"
#include "launcher/session/late-cards.h"
#include "launcher/session/plug.h"
#include "tests/unit/session-fixture.h"

#define CARD	"0000:02:00.0"
#define OTHER	"0000:03:00.0"
#define LONG_MS 600000

/* A VM whose cards are decided on and locked, and still the host's. */
typedef struct {
	VmFixture *vm;
	HvrDecision decision;
} Late;

static void late_clear(Late *late)
{
	vm_fixture_free(late->vm);
	hvr_decision_clear(&late->decision);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Late, late_clear)

static void device_deleted(VmFixture *f, const char *id)
{
	g_autofree char *data = g_strdup_printf("{\"device\": \"%s\", \"path\": \"/x\"}", id);

	qmp_peer_event(f->peer, "DEVICE_DELETED", data);
	vm_fixture_settle(f);
}

/* Two cards alike, of which the profile has the first. */
static void begin(Late *late, HvrPick pick)
{
	VmFixture *f = vm_fixture_new("card");
	HvrProfileDevice *device = g_ptr_array_index(f->machine->profile->devices, 0);
	const HvrDecideFor whom = { f->machine->profile->devices, "lab", FALSE, HVR_CLAIM_NO_WAIT };
	g_autoptr(GError) error = NULL;

	*late = (Late){ .vm = f };
	device_deleted(f, "npu");
	vm_fixture_assert_given_back(f);
	device->pick = pick;
	if (!hvr_decide(&f->context, f->machine->profile, &whom, &late->decision, &error))
		fail_msg("%s", error->message);
	fake_sysfs_add_hailo8(f->fs, "0000:00:1c.5", OTHER, 15, 1);
	GPtrArray *locks = late->decision.claim->locks;
	while (locks->len)
		g_ptr_array_add(f->session->locks, g_ptr_array_steal_index_fast(locks, 0));
	assert_true(vm_fixture_is_locked(f, 14));
}

/* What plugging them in comes to. [transfer full] */
static char *plug_all(Late *late, HvrLateCards *cards)
{
	qmp_peer_returns(late->vm->peer, "device_add", "{}");
	hvr_late_cards_prepare(cards, late->vm->hotplug, &late->decision);
	hvr_late_cards_plug(cards, vm_fixture_done, late->vm);
	return vm_fixture_wait_told(late->vm);
}

static void test_plugged(void **state)
{
	g_auto(Late) late = { 0 };
	HvrLateCards cards;

	begin(&late, HVR_PICK_FREE);
	g_autofree char *told = plug_all(&late, &cards);
	assert_string_equal(told, "done\n");
	vm_fixture_assert_driver(late.vm, CARD, "vfio-pci");
	/* QEMU has its lock already */
	assert_int_equal(qmp_peer_count(late.vm->peer, "getfd"), 0);
	hvr_late_cards_end(&cards);
}

/* Where any card will do, one that cannot be prepared is back where it was, and another one comes,
 * whose lock QEMU does not have yet. */
static void test_another(void **state)
{
	g_auto(Late) late = { 0 };
	HvrLateCards cards;

	begin(&late, HVR_PICK_FREE);
	fake_sysfs_set_probe_error(late.vm->fs, CARD, "vfio-pci", EIO);
	g_autofree char *told = plug_all(&late, &cards);
	assert_string_equal(told, "done\n");
	vm_fixture_assert_driver(late.vm, CARD, "hailo");
	vm_fixture_assert_driver(late.vm, OTHER, "vfio-pci");
	assert_int_equal(qmp_peer_count(late.vm->peer, "device_add"), 1);
	assert_int_equal(qmp_peer_count(late.vm->peer, "getfd"), 1);
	assert_false(vm_fixture_is_locked(late.vm, 14));
	assert_true(vm_fixture_is_locked(late.vm, 15));
	assert_string_equal(hvr_session_device(late.vm->session, "npu")->address, OTHER);
	hvr_late_cards_end(&cards);
	device_deleted(late.vm, "npu");
	assert_false(vm_fixture_is_locked(late.vm, 15));
}

/* ... up to the last; and not where it has to be this one. */
static void test_no_other(void **state)
{
	for (guint only = 0; only < 2; only++) {
		g_auto(Late) late = { 0 };
		HvrLateCards cards;

		begin(&late, only ? HVR_PICK_ONLY : HVR_PICK_FREE);
		fake_sysfs_set_probe_error(late.vm->fs, CARD, "vfio-pci", EIO);
		fake_sysfs_set_probe_error(late.vm->fs, OTHER, "vfio-pci", EIO);
		g_autofree char *told = plug_all(&late, &cards);
		if (!strstr(told, "cannot bind to vfio-pci"))
			fail_msg("%s", told);
		vm_fixture_assert_driver(late.vm, CARD, "hailo");
		vm_fixture_assert_driver(late.vm, OTHER, "hailo");
		assert_int_equal(qmp_peer_count(late.vm->peer, "device_add"), 0);
		assert_int_equal(vm_fixture_is_locked(late.vm, 14), only);
		assert_false(vm_fixture_is_locked(late.vm, 15));
		hvr_late_cards_end(&cards);
	}
}

static void stop(VmFixture *f)
{
	const HvrShutdownTimes times = { .powerdown_ms = LONG_MS, .quit_ms = LONG_MS };

	qmp_peer_returns(f->peer, "system_powerdown", "{}");
	hvr_session_stop(f->session, &times, vm_fixture_done, f);
}

static void end_vm(Late *late)
{
	VmFixture *f = late->vm;
	const HvrEndedHow how = { .why = "it ended" };
	GError *left = NULL;

	vm_fixture_kill_qemu(f);
	hvr_hotplug_finish(f->hotplug);
	hvr_ending_finish(&f->context, f->session->vm, &how, f->session->locks, &left);
	assert_null(left);
	hvr_session_stopped(f->session, NULL);
	vm_fixture_assert_driver(f, CARD, "hailo");
	vm_fixture_assert_driver(f, OTHER, "hailo");
	assert_false(vm_fixture_is_locked(f, 14));
	assert_false(vm_fixture_is_locked(f, 15));
}

/* Somebody stops the VM while a card is prepared, or when it is: it does not come, and goes back.
 */
static void test_stopped(void **state)
{
	for (guint when = 0; when < 3; when++) {
		g_auto(Late) late = { 0 };
		HvrLateCards cards;

		begin(&late, HVR_PICK_FREE);
		if (when == 2) /* the next one is not for it, either */
			fake_sysfs_set_probe_error(late.vm->fs, CARD, "vfio-pci", EIO);
		hvr_late_cards_prepare(&cards, late.vm->hotplug, &late.decision);
		if (when == 1)
			vm_fixture_settle(late.vm);
		stop(late.vm);
		hvr_late_cards_plug(&cards, vm_fixture_done, late.vm);
		g_autofree char *told = vm_fixture_wait_told(late.vm);
		assert_true(strstr(told, "VM 'lab' ends") || when == 2);
		vm_fixture_assert_driver(late.vm, OTHER, "hailo");
		hvr_late_cards_end(&cards);
		end_vm(&late);
		assert_int_equal(qmp_peer_count(late.vm->peer, "device_add"), 0);
	}
}

/* The same of one that somebody plugs in. */
static void test_plug_stopped(void **state)
{
	g_auto(Late) late = { 0 };

	begin(&late, HVR_PICK_FREE);
	HvrLock *lock = hvr_lock_find(late.vm->session->locks, "group-14");
	g_ptr_array_remove(late.vm->session->locks, lock);
	hvr_lock_release(lock);
	hvr_plug(late.vm->hotplug, "npu", vm_fixture_done, late.vm);
	stop(late.vm);
	g_autofree char *told = vm_fixture_wait_told(late.vm);
	assert_string_equal(told, "69 VM 'lab' ends\n");
	vm_fixture_settle(late.vm);
	vm_fixture_assert_driver(late.vm, CARD, "hailo");
	hvr_plug(late.vm->hotplug, "npu", vm_fixture_done, late.vm);
	g_autofree char *again = vm_fixture_wait_told(late.vm);
	assert_string_equal(again, "69 VM 'lab' ends\n");
	end_vm(&late);
	assert_int_equal(qmp_peer_count(late.vm->peer, "device_add"), 0);
}

/* A guest that goes on, up to its card. */
static void go_on(Late *late, HvrArrival *arrival, HvrRunOptions *options)
{
	const HvrArrivalStart start = { .hotplug = late->vm->hotplug,
					.options = options,
					.decision = &late->decision };
	QmpPeer *peer = late->vm->peer;

	qmp_peer_returns(peer, "query-status", "{\"running\": false, \"status\": \"inmigrate\"}");
	qmp_peer_returns(peer, "query-migrate-capabilities", "[]");
	qmp_peer_returns(peer, "migrate-set-capabilities", "{}");
	qmp_peer_returns(peer, "migrate-incoming", "{}");
	qmp_peer_returns(peer, "cont", "{}");
	hvr_arrival_begin(arrival, &start);
	assert_true(qmp_peer_wait_for(peer, "migrate-incoming", 1));
	qmp_peer_event(peer, "MIGRATION", "{\"status\": \"completed\"}");
	assert_true(qmp_peer_wait_for(peer, "device_add", 1));
}

/* QEMU goes while it is taking the card: that is no failure of a VM that was stopped, or of one
 * whose guest has powered itself off. */
static void test_arrival_stopped(void **state)
{
	for (guint asked = 0; asked < 2; asked++) {
		g_auto(Late) late = { 0 };
		HvrRunWarm warm = { .save = -1, .restore = STDIN_FILENO };
		HvrRunOptions options = { .ready_fd = -1, .warm = &warm };
		HvrArrival arrival;

		begin(&late, HVR_PICK_FREE);
		qmp_peer_ignores(late.vm->peer, "device_add");
		go_on(&late, &arrival, &options);
		assert_true(warm.done);
		if (asked)
			stop(late.vm);
		qmp_peer_close(late.vm->peer);
		hvr_hotplug_finish(late.vm->hotplug);
		assert_null(late.vm->session->failure);
		hvr_arrival_end(&arrival);
		end_vm(&late);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plugged),	     cmocka_unit_test(test_another),
		cmocka_unit_test(test_no_other),     cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_plug_stopped), cmocka_unit_test(test_arrival_stopped),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
