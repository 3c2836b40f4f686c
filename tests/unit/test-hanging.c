/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver hangs in its remove or probe, and the session goes on: whoever asks for something else
 * is served, whoever asks for that very card is told at once, and when the kernel lets go, or the
 * worker that was in it is killed, the card is in the VM, or with the host as it was.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "launcher/session/ending.h"
#include "launcher/session/plug.h"
#include "launcher/session/shutdown.h"
#include "tests/unit/session-fixture.h"

#define CARD	"0000:02:00.0"
#define OTHER	"0000:03:00.0"
#define LONG_MS 600000
#define BUSY	"75 device 'a' is on its way into VM 'lab' or out of it\ntry again when that is over\n"

/* A call of the kernel that hangs, in whatever process makes it: once there. */
typedef struct {
	const char *match;
	int reached[2];
	int go[2];
} Hang;

static const HvrEndedHow ended = { .why = "it ended" };

static void hang_at(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	Hang *hang = data;
	char byte;

	if (!strstr(what, hang->match))
		return;
	assert_int_equal(write(hang->reached[1], "", 1), 1);
	assert_int_equal(read(hang->go[0], &byte, 1), 1);
	fs->before = NULL;
}

static Hang hang_new(VmFixture *f, const char *match)
{
	Hang hang = { .match = match };

	assert_int_equal(pipe2(hang.reached, O_CLOEXEC), 0);
	assert_int_equal(pipe2(hang.go, O_CLOEXEC), 0);
	f->fs->before = hang_at;
	return hang;
}

/* Some process is in it now. */
static void wait_hanging(const Hang *hang)
{
	char byte;

	alarm(20);
	assert_int_equal(read(hang->reached[0], &byte, 1), 1);
	alarm(0);
}

static void let_go(const Hang *hang)
{
	assert_int_equal(write(hang->go[1], "", 1), 1);
}

static void hang_end(VmFixture *f, Hang *hang)
{
	for (guint i = 0; i < 2; i++) {
		close(hang->reached[i]);
		close(hang->go[i]);
	}
	f->fs->before = NULL;
}

static void device_deleted(VmFixture *f, const char *id)
{
	g_autofree char *data = g_strdup_printf("{\"device\": \"%s\", \"path\": \"/x\"}", id);

	qmp_peer_event(f->peer, "DEVICE_DELETED", data);
	vm_fixture_turn(f);
}

static void assert_told(VmFixture *f, const char *wanted)
{
	g_autofree char *told = vm_fixture_wait_told(f);

	assert_string_equal(told, wanted);
}

static void plug(VmFixture *f, const char *device)
{
	hvr_plug(f->hotplug, device, vm_fixture_done, f);
}

static void unplug(VmFixture *f, const char *device)
{
	hvr_hotplug_unplug(f->hotplug, device, LONG_MS, FALSE, vm_fixture_done, f);
}

/* Card 'a' is out, card 'b' is in. */
static VmFixture *two_cards(void)
{
	VmFixture *f = vm_fixture_new("two cards");

	qmp_peer_returns(f->peer, "device_add", "{}");
	qmp_peer_returns(f->peer, "device_del", "{}");
	device_deleted(f, "a");
	vm_fixture_settle(f);
	return f;
}

/* All that has nothing to do with card 'a' is served as ever; what has is told at once. */
static void be_served(VmFixture *f)
{
	plug(f, "a");
	unplug(f, "a");
	assert_told(f, BUSY BUSY);

	unplug(f, "b");
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 1));
	device_deleted(f, "b");
	assert_told(f, "done\n");
	vm_fixture_assert_driver(f, OTHER, "hailo");
	assert_false(vm_fixture_is_locked(f, 15));
	plug(f, "b");
	assert_told(f, "done\n");
	vm_fixture_assert_driver(f, OTHER, "vfio-pci");
}

/* The host's driver hangs when the card is taken from it. */
static void test_plug(void **state)
{
	g_autoptr(VmFixture) f = two_cards();
	Hang hang = hang_new(f, "hailo/unbind " CARD);

	f->fs->hook_data = &hang;
	plug(f, "a");
	wait_hanging(&hang);
	be_served(f);
	assert_int_equal(qmp_peer_count(f->peer, "device_add"), 1);
	vm_fixture_assert_driver(f, CARD, "hailo");
	assert_true(vm_fixture_is_locked(f, 14));
	let_go(&hang);
	assert_told(f, "done\n");
	assert_int_equal(qmp_peer_count(f->peer, "device_add"), 2);
	vm_fixture_assert_driver(f, CARD, "vfio-pci");
	hang_end(f, &hang);
}

/* It hangs when it gets the card back: also who asked for that waits, and is told then. */
static void test_give_back(void **state)
{
	g_autoptr(VmFixture) f = two_cards();
	Hang hang = hang_new(f, "hailo/bind " CARD);

	f->fs->hook_data = &hang;
	plug(f, "a");
	assert_told(f, "done\n");
	unplug(f, "a");
	assert_true(qmp_peer_wait_for(f->peer, "device_del", 1));
	device_deleted(f, "a");
	wait_hanging(&hang);
	plug(f, "a");
	unplug(f, "a");
	assert_told(f, BUSY BUSY);
	vm_fixture_assert_driver(f, CARD, "none");
	assert_true(vm_fixture_is_locked(f, 14));
	let_go(&hang);
	assert_told(f, "done\n");
	vm_fixture_assert_driver(f, CARD, "hailo");
	assert_false(vm_fixture_is_locked(f, 14));
	hang_end(f, &hang);
}

/* A signal, and a request to stop, are heard at once; and a VM that goes gets no card any more. */
static void test_stop(void **state)
{
	const HvrShutdownTimes forced = { .quit_ms = LONG_MS };
	g_autoptr(VmFixture) f = two_cards();
	Hang hang = hang_new(f, "hailo/unbind " CARD);

	f->fs->hook_data = &hang;
	hvr_interrupt_note(0);
	qmp_peer_returns(f->peer, "system_powerdown", "{}");
	qmp_peer_returns(f->peer, "quit", "{}");
	plug(f, "a");
	wait_hanging(&hang);
	kill(getpid(), SIGTERM);
	assert_true(qmp_peer_wait_for(f->peer, "system_powerdown", 1));
	hvr_session_stop(f->session, &forced, vm_fixture_done, f);
	assert_true(qmp_peer_wait_for(f->peer, "quit", 1));
	assert_string_equal(f->told->str, "");
	let_go(&hang);
	assert_told(f, "69 VM 'lab' ends\n");
	vm_fixture_settle(f);
	assert_int_equal(qmp_peer_count(f->peer, "device_add"), 0);
	vm_fixture_assert_driver(f, CARD, "hailo");
	hvr_interrupt_note(0);
	hang_end(f, &hang);
}

static gboolean on_time_to_let_go(gpointer hang)
{
	let_go(hang);
	return G_SOURCE_REMOVE;
}

/* The VM ends meanwhile: the cards are waited for, what is on its way in is undone, and only then
 * is everything given back. */
static void test_end(void **state)
{
	static const char *const matches[] = { "hailo/unbind " CARD, "hailo/bind " OTHER };

	for (guint i = 0; i < G_N_ELEMENTS(matches); i++) {
		g_autoptr(VmFixture) f = two_cards();
		Hang hang = hang_new(f, matches[i]);

		f->fs->hook_data = &hang;
		if (i == 0)
			plug(f, "a");
		else
			device_deleted(f, "b");
		wait_hanging(&hang);
		vm_fixture_kill_qemu(f);
		qmp_peer_close(f->peer);
		plug(f, "b");
		assert_told(f, i == 0 ? "69 VM 'lab' has ended\n"
				      : "75 device 'b' is on its way into VM 'lab' or out of it\n"
					"try again when that is over\n");
		g_timeout_add(20, on_time_to_let_go, &hang);
		hvr_hotplug_finish(f->hotplug);
		assert_string_equal(f->told->str,
				    i == 0 ? "75 interrupted by signal 15 (Terminated)\n" : "");
		assert_false(vm_fixture_is_locked(f, i == 0 ? 14 : 15));
		assert_true(hvr_ending_finish(&f->context, f->session->vm, &ended,
					      f->session->locks, NULL));
		vm_fixture_assert_given_back(f);
		assert_int_equal(hvr_interrupt_pending(), 0);
		hang_end(f, &hang);
	}
}

/* Longer than its deadline: told at that, the journal has the card, and the rest is served on. */
static void test_deadline(void **state)
{
	g_autoptr(VmFixture) f = two_cards();

	fake_sysfs_set_hanging(f->fs, CARD, TRUE);
	plug(f, "a");
	g_autofree char *told = vm_fixture_wait_told(f);
	assert_true(g_str_has_prefix(told, "75 " CARD ": cannot unbind from hailo: the kernel did "
					   "not finish writing"));
	assert_non_null(strstr(told, "undoing it failed too: " CARD
				     ": cannot read 'driver_override': the kernel did not finish"));
	assert_false(vm_fixture_is_locked(f, 14));
	plug(f, "a");
	g_autofree char *again = vm_fixture_wait_told(f);
	assert_string_equal(again,
			    "75 " CARD ": cannot read 'driver_override': the kernel did not finish "
			    "reading driver_override within 10 s\n"
			    "a driver hangs in its probe or remove: see the kernel's log\n");
	g_autofree char *unaccounted = machine_unaccounted(f->machine);
	assert_null(unaccounted);

	fake_sysfs_set_hanging(f->fs, CARD, FALSE);
	vm_fixture_kill_qemu(f);
	assert_true(
		hvr_ending_finish(&f->context, f->session->vm, &ended, f->session->locks, NULL));
	vm_fixture_assert_given_back(f);
}

/* A device_add that fails while QEMU has the group open, and whose DEVICE_DELETED comes while that
 * is being looked at: it has left, and the card goes back. */
static void test_left_meanwhile(void **state)
{
	g_autoptr(VmFixture) f = vm_fixture_new("card");
	Hang hang = { 0 };

	device_deleted(f, "npu");
	vm_fixture_settle(f);
	qmp_peer_fails(f->peer, "device_add", "GenericError", "no idea");
	hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
	assert_true(qmp_peer_wait_for(f->peer, "device_add", 1));
	fake_sysfs_set_in_use(f->fs, 14, TRUE);
	hang = hang_new(f, "access_status");
	f->fs->hook_data = &hang;
	while (!f->hotplug->returns->len)
		g_main_context_iteration(NULL, TRUE);
	wait_hanging(&hang);
	device_deleted(f, "npu");
	let_go(&hang); /* it may yet see the group open, and looks again */
	hang_end(f, &hang);
	fake_sysfs_set_in_use(f->fs, 14, FALSE);
	assert_told(f, "76 no idea\n");
	assert_false(hvr_session_device(f->session, "npu")->in_vm);
	assert_false(vm_fixture_is_locked(f, 14));
	vm_fixture_assert_given_back(f);
}

/* Which call of the kernel a worker is killed at, before it or behind it. */
typedef struct {
	pid_t session;
	guint left;
} Point;

static void kill_worker(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	Point *point = data;

	if (getpid() != point->session && --point->left == 0)
		kill(getpid(), SIGKILL);
}

/* At each of its calls in turn. Returns: whether it came to that. */
static gboolean killed(const char *scenario, const char *job, guint call, gboolean after)
{
	g_autoptr(VmFixture) f = vm_fixture_new(scenario);
	Point point = { getpid(), call };

	qmp_peer_returns(f->peer, "device_add", "{}");
	qmp_peer_returns(f->peer, "device_del", "{}");
	if (g_str_equal(job, "plug")) {
		device_deleted(f, "npu");
		vm_fixture_settle(f);
	}
	f->fs->hook_data = &point;
	*(after ? &f->fs->after : &f->fs->before) = kill_worker;
	if (g_str_equal(job, "plug")) {
		hvr_plug(f->hotplug, "npu", vm_fixture_done, f);
		/* Not the one that then gives the card back */
		f->fs->before = f->fs->after = NULL;
	} else {
		unplug(f, "npu");
		assert_true(qmp_peer_wait_for(f->peer, "device_del", 1));
		device_deleted(f, "npu");
	}
	g_autofree char *told = vm_fixture_wait_told(f);
	f->fs->before = f->fs->after = NULL;
	gboolean well = g_str_equal(told, "done\n");
	if (!well)
		assert_string_equal(
			told, g_str_equal(job, "plug")
				      ? "70 preparing 'npu': its process was ended (signal 9)\n"
				      : "70 giving back IOMMU group 14: its process was ended "
					"(signal 9)\n");
	g_autofree char *unaccounted = machine_unaccounted(f->machine);
	assert_null(unaccounted);
	if (!well && g_str_equal(job, "plug"))
		vm_fixture_assert_given_back(f);
	assert_int_equal(vm_fixture_is_locked(f, 14), well && g_str_equal(job, "plug"));
	vm_fixture_kill_qemu(f);
	qmp_peer_close(f->peer);
	hvr_hotplug_finish(f->hotplug);
	assert_true(
		hvr_ending_finish(&f->context, f->session->vm, &ended, f->session->locks, NULL));
	vm_fixture_assert_given_back(f);
	return !well;
}

/* A killed worker is told, and leaves no more than the journal knows of. */
static void test_killed(void **state)
{
	static const char *const jobs[] = { "plug", "unplug" };
	guint points = 0;

	for (guint i = 0; i < G_N_ELEMENTS(jobs); i++)
		for (guint after = 0; after < 2; after++)
			for (guint call = 1; killed("card", jobs[i], call, after); call++)
				points++;
	printf("hanging: %u points\n", points);
	assert_true(points >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plug),	 cmocka_unit_test(test_give_back),
		cmocka_unit_test(test_stop),	 cmocka_unit_test(test_end),
		cmocka_unit_test(test_deadline), cmocka_unit_test(test_left_meanwhile),
		cmocka_unit_test(test_killed),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	umask(077);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
