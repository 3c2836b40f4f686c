/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First come, first served: tickets by themselves, and real processes that wait for one card.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/host/claim.h"
#include "launcher/process/interrupt.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/queue.h"
#include "launcher/runtime/runtime.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define WAITERS 6

typedef struct {
	FakeSysfs *fs;
	HvrContext context;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->fs = fake_sysfs_new();
	fake_sysfs_add_hailo8(f->fs, "0000:00:1c.0", "0000:02:00.0", 14, 0);
	f->context = (HvrContext){ .host = f->fs->host,
				   .runtime = -1,
				   .runtime_parent = f->fs->host.run,
				   .privileged = TRUE };
	f->context.host.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return !hvr_context_open_runtime(&f->context, TRUE, NULL);
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_fd_close(f->context.runtime);
	hvr_fd_close(f->context.host.proc);
	fake_sysfs_free(f->fs);
	g_free(f);
	return 0;
}

static HvrTicket *join(Fixture *f, const char *vm, const int *groups, guint n)
{
	g_autoptr(GArray) array = g_array_new(FALSE, FALSE, sizeof(int));
	g_autoptr(GError) error = NULL;

	g_array_append_vals(array, groups, n);
	HvrTicket *ticket = hvr_queue_join(&f->context, array, vm, &error);
	assert_null(error);
	return ticket;
}

/* Who waits is there to be seen, in the order in which they came. */
static void test_list(void **state)
{
	Fixture *f = *state;
	const int both[] = { 14, 15 }, one[] = { 14 };
	g_autoptr(HvrTicket) first = join(f, "first", both, 2);
	HvrTicket *second = join(f, NULL, one, 1);
	g_autoptr(GPtrArray) waiters = hvr_queue_list(&f->context);
	const HvrWaiter *waiter = waiters->pdata[0];

	assert_int_equal(waiters->len, 2);
	assert_string_equal(waiter->vm, "first");
	assert_int_equal(waiter->pid, getpid());
	assert_int_equal(waiter->groups->len, 2);
	assert_int_equal(g_array_index(waiter->groups, int, 1), 15);
	waiter = waiters->pdata[1];
	assert_null(waiter->vm);
	hvr_queue_leave(second);
	g_autoptr(GPtrArray) rest = hvr_queue_list(&f->context);
	assert_int_equal(rest->len, 1);
}

/* Who came first has the first turn, for the groups that would do; who has no ticket is last. */
static void test_order(void **state)
{
	Fixture *f = *state;
	const int both[] = { 14, 15 }, one[] = { 14 };
	HvrTicket *first = join(f, "first", one, 1);
	g_autoptr(HvrTicket) second = join(f, "second", both, 2);
	g_autoptr(GPtrArray) busy = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;

	assert_true(hvr_queue_turn(&f->context, first, 14, NULL, NULL));
	assert_false(hvr_queue_turn(&f->context, second, 14, busy, &error));
	assert_int_equal(busy->len, 1);
	assert_int_equal(hvr_exit_status(error), 75);
	assert_non_null(strstr(error->message, "VM 'first', pid"));
	assert_true(hvr_queue_turn(&f->context, second, 15, NULL, NULL));
	assert_false(hvr_queue_turn(&f->context, NULL, 15, NULL, NULL));
	assert_true(hvr_queue_turn(&f->context, NULL, 16, NULL, NULL));
	hvr_queue_leave(first);
	assert_true(hvr_queue_turn(&f->context, second, 14, NULL, NULL));
}

/* The ticket of a killed process counts no more. */
static void test_killed(void **state)
{
	Fixture *f = *state;
	const int one[] = { 14 };
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		HvrTicket *ticket = join(f, "killed", one, 1);
		if (!ticket || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_false(hvr_queue_turn(&f->context, NULL, 14, NULL, NULL));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(hvr_queue_turn(&f->context, NULL, 14, NULL, NULL));
	close(ready[0]);
	close(ready[1]);
}

static HvrProfile *load(void)
{
	static const char text[] = "[vm]\nname = lab\nmemory = 64M\n[device npu]\n";
	g_autoptr(GError) error = NULL;
	HvrProfile *profile = hvr_profile_parse("/lab.ini", text, sizeof(text) - 1, NULL, &error);

	assert_null(error);
	return profile;
}

static G_NORETURN void wait_for_card(Fixture *f, char number, int out)
{
	g_autofree char *vm = g_strdup_printf("vm-%c", number);
	g_autoptr(HvrProfile) profile = load();
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&f->context.host, NULL);
	const HvrClaimFor whom = { .devices = profile->devices,
				   .vm = vm,
				   .wait_s = HVR_CLAIM_FOREVER };
	HvrClaim *claim = hvr_claim_take(&f->context, &whom, inventory, NULL);
	gboolean told = claim && write(out, &number, 1) == 1;

	hvr_claim_free(claim);
	_exit(told ? 0 : 1);
}

static guint count_tickets(const Fixture *f)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(f->context.runtime, "locks");
	guint n = 0;

	for (guint i = 0; i < names->len; i++)
		n += g_str_has_prefix(g_ptr_array_index(names, i), "wait-");
	return n;
}

/* Until @n processes have their tickets, by the events of the folder. */
static void wait_for_tickets(const Fixture *f, int watch, guint n)
{
	char events[4096];

	while (count_tickets(f) < n)
		assert_true(read(watch, events, sizeof(events)) > 0);
}

/* Waiting processes are served in the order in which they came. */
static void test_served_in_order(void **state)
{
	Fixture *f = *state;
	pid_t pids[WAITERS];
	int out[2];
	char served[WAITERS + 1] = "";
	g_autofree char *locks = g_strconcat(f->fs->root, "/run/hailo-vm-run/locks", NULL);
	g_auto(HvrFd) watch = inotify_init1(IN_CLOEXEC);

	inotify_add_watch(watch, locks, IN_CREATE);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	HvrLock *held = hvr_lock_try(&f->context.host, f->context.runtime, "group-14", "x", NULL);
	assert_non_null(held);
	for (guint i = 0; i < WAITERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			wait_for_card(f, (char)('a' + i), out[1]);
		wait_for_tickets(f, watch, i + 1);
	}
	hvr_lock_release(held);
	for (guint i = 0; i < WAITERS; i++) {
		int status = 0;
		assert_int_equal(read(out[0], &served[i], 1), 1);
		waitpid(pids[i], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_string_equal(served, "abcdef");
	close(out[0]);
	close(out[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_served_in_order, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
