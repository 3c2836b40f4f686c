/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every call of the kernel that a job makes fails, each in every way, on the way there and on the
 * way back.
 *
 * A job is first run well, to count its calls; then once for each call, errno and way:
 *
 *   once    the call fails and has no effect
 *   late    the call has its effect and fails all the same, as a write that missed its deadline
 *   broken  this call fails and every call behind it too, so that undoing fails as well
 *
 * Afterwards each function is as it was, or has an entry in the journal that says what it was; and
 * when the fault is gone, `release --all` makes the machine what it was, byte for byte. A single
 * fault on the way there needs no release: the job itself undoes what it did.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "tests/unit/scenarios.h"

typedef enum { ONCE, LATE, BROKEN } Way;

/* Broken is broken: one errno of each kind is enough there. */
static const char *const way_names[] = { "once", "late", "broken" };
static const int errnos[] = { EBUSY, EINVAL, ENODEV, EPERM, EIO, ENOSPC, ETIMEDOUT };

static guint n_calls, n_faults, n_mended;

/* From the call that was meant on, each call is the one that fails. */
static void stay_broken(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	if (call >= *(guint *)data)
		fs->fail_call = call;
}

static void fail_case(Machine *machine, guint call, int error_number, Way way, const char *what)
{
	g_autofree char *messages = machine_messages(machine);

	fail_msg("%s: call %u (%s), %s, %s: %s\n%s", machine->scenario->name, call,
		 call <= machine->fs->log->len
			 ? (const char *)g_ptr_array_index(machine->fs->log, call - 1)
			 : "none",
		 g_strerror(error_number), way_names[way], what, messages);
}

/* With the fault gone, what is left is put right by release, which then has nothing more to do. */
static void mend(Machine *machine, guint call, int error_number, Way way)
{
	g_autoptr(GError) error = NULL;

	if (!machine_do(machine, "release", &error))
		fail_case(machine, call, error_number, way, error->message);
	machine_unload(machine);
	g_autofree char *difference = machine_difference(machine);
	if (difference)
		fail_case(machine, call, error_number, way, difference);
}

static gboolean go_with_fault(Machine *machine, guint call, int error_number, Way way)
{
	FakeSysfs *fs = machine->fs;

	fake_sysfs_clear_log(fs);
	fake_sysfs_fail_at(fs, call, error_number);
	fs->fail_late = way == LATE;
	fs->before = way == BROKEN ? stay_broken : NULL;
	fs->hook_data = &call;
	gboolean well = machine_go(machine, NULL);
	fake_sysfs_fail_never(fs);
	fs->before = NULL;
	return well;
}

static void run_with_fault(Machine *machine, guint call, int error_number, Way way,
			   gboolean on_the_way_there)
{
	gboolean well = go_with_fault(machine, call, error_number, way);
	g_autofree char *unaccounted = machine_unaccounted(machine);

	n_faults++;
	if (unaccounted)
		fail_case(machine, call, error_number, way, unaccounted);
	if (way != BROKEN) {
		machine_unload(machine);
		g_autofree char *difference = machine_difference(machine);
		if (!difference)
			return;
		if (well)
			fail_case(machine, call, error_number, way, "nothing was reported");
		if (on_the_way_there)
			fail_case(machine, call, error_number, way, difference);
	}
	n_mended++;
	mend(machine, call, error_number, way);
}

/* The number of calls of a job that goes well, and leaves the machine as it was. */
static guint count_calls(Machine *machine)
{
	g_autoptr(GError) error = NULL;

	fake_sysfs_clear_log(machine->fs);
	if (!machine_go(machine, &error))
		fail_msg("%s: %s", machine->scenario->name, error->message);
	guint calls = machine->fs->calls;
	machine_unload(machine);
	g_autofree char *difference = machine_difference(machine);
	if (difference)
		fail_msg("%s: %s", machine->scenario->name, difference);
	return calls;
}

/* The last call of the first job before it has what it wants. */
static guint calls_there(const Machine *machine)
{
	const GPtrArray *log = machine->fs->log;

	for (guint i = 0; i < log->len; i++)
		if (g_str_equal(g_ptr_array_index(log, i), "container_check"))
			return i + 1;
	fail_msg("%s: no container_check", machine->scenario->name);
	return 0;
}

static void break_scenario(const Scenario *scenario)
{
	g_autoptr(Machine) machine = machine_new(scenario);
	guint calls = count_calls(machine), there = calls_there(machine);

	for (guint call = 1; call <= calls; call++)
		for (guint i = 0; i < G_N_ELEMENTS(errnos); i++) {
			run_with_fault(machine, call, errnos[i], ONCE, call <= there);
			run_with_fault(machine, call, errnos[i], LATE, call <= there);
			if (errnos[i] == EIO || errnos[i] == ETIMEDOUT)
				run_with_fault(machine, call, errnos[i], BROKEN, FALSE);
		}
	n_calls += calls;
}

/* Whatever call of whatever job fails in whatever way, nothing is lost. */
static void test_every_call(void **state)
{
	for (const Scenario *scenario = scenarios; scenario->name; scenario++)
		break_scenario(scenario);
	printf("faults: %u calls, %u faults, %u of them mended by release\n", n_calls, n_faults,
	       n_mended);
	assert_true(n_calls >= 100);
	assert_true(n_mended > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_call),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	umask(077);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
