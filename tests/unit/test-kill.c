/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job is killed before and after every call of the kernel that it makes.
 *
 * A child does the job on the fake machine and sends itself SIGKILL at one point; nothing of it
 * runs any more, its locks are free, its process is gone from /proc. Then another process does what
 * a user would: `release --all`, or the same `run` once more, which gives back what a dead owner
 * left and then ends in order. Either way the machine is byte for byte what it was and the runtime
 * folder holds no file. What follows a point that is not reached is the proof that the end was.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "tests/unit/scenarios.h"

/* Where a child ends: at call number @call, before or after it. */
typedef struct {
	guint call;
	gboolean after;
} Point;

static guint n_points, n_again;

static void kill_at(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	const Point *point = data;

	if (call == point->call)
		kill(getpid(), SIGKILL);
}

static G_NORETURN void child(Machine *machine, const char *job, const Point *point)
{
	g_autoptr(GError) error = NULL;
	FakeSysfs *fs = machine->fs;

	machine_show_process(machine, getpid());
	fake_sysfs_clear_log(fs);
	*(point->after ? &fs->after : &fs->before) = kill_at;
	fs->hook_data = (gpointer)point;
	_exit(!(job ? machine_do(machine, job, &error) : machine_go(machine, &error)));
}

/* Waits for the child, and for what it has left running. TRUE: killed; FALSE: came to its end. */
static gboolean reap(const Machine *machine, pid_t pid)
{
	int status = 0, other;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	while (waitpid(-1, &other, 0) > 0)
		;
	machine_hide_process(machine, pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return TRUE;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return FALSE;
}

/* Does @job, or with NULL all of the scenario's, in a child that ends at @point. */
static gboolean run_killed(Machine *machine, const char *job, const Point *point)
{
	pid_t pid = fork();

	if (pid == 0)
		child(machine, job, point);
	assert_true(pid > 0);
	return reap(machine, pid);
}

static void fail_point(const Machine *machine, const Point *point, const char *what)
{
	g_autofree char *messages = machine_messages(machine);

	fail_msg("%s, killed %s call %u: %s\n%s", machine->scenario->name,
		 point->after ? "after" : "before", point->call, what, messages);
}

static void must_do(Machine *machine, const char *job, const Point *point)
{
	g_autoptr(GError) error = NULL;

	if (!machine_do(machine, job, &error))
		fail_point(machine, point, error->message);
}

static void must_be_as_before(Machine *machine, const Point *point)
{
	machine_unload(machine);
	g_autofree char *difference = machine_difference(machine);
	if (difference)
		fail_point(machine, point, difference);
}

static void must_be_accounted(Machine *machine, const Point *point)
{
	g_autofree char *unaccounted = machine_unaccounted(machine);

	if (unaccounted)
		fail_point(machine, point, unaccounted);
}

/* Kills at every point, and has each machine mended by @job, and by release at last. */
static void kill_everywhere(const Scenario *scenario, const char *job)
{
	g_autoptr(Machine) machine = machine_new(scenario);
	Point point = { .call = 1 };

	while (run_killed(machine, NULL, &point)) {
		n_points++;
		must_be_accounted(machine, &point);
		if (job)
			must_do(machine, job, &point);
		must_do(machine, "release", &point);
		must_be_as_before(machine, &point);
		point.call += point.after;
		point.after = !point.after;
	}
	must_be_as_before(machine, &point);
}

/* After any kill, `release --all` makes the machine what it was. */
static void test_release(void **state)
{
	for (const Scenario *scenario = scenarios; scenario->name; scenario++)
		kill_everywhere(scenario, NULL);
	assert_true(n_points >= 400);
}

/* After any kill, the next run starts as if nothing had been, and ends so. */
static void test_next_run(void **state)
{
	for (const Scenario *scenario = scenarios; scenario->name; scenario++)
		kill_everywhere(scenario, "run");
}

/* A release that is killed too, at any point, after a run that was killed at any point. */
static void test_release_killed(void **state)
{
	g_autoptr(Machine) machine = machine_new(&scenarios[0]);
	Point first = { .call = 1, .after = TRUE };

	for (; run_killed(machine, NULL, &first); first.call++) {
		Point second = { .call = 1, .after = TRUE };
		for (; run_killed(machine, "release", &second); second.call++) {
			n_again++;
			must_be_accounted(machine, &second);
			must_do(machine, "release", &second);
			must_be_as_before(machine, &second);
			assert_true(run_killed(machine, NULL, &first));
		}
		must_be_as_before(machine, &first);
	}
	printf("kill: %u points, %u more of a release behind a kill\n", n_points, n_again);
	assert_true(n_again >= 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_next_run),
		cmocka_unit_test(test_release_killed),
	};

	if (geteuid() != 0) /* nodes change their owner */
		return 77;
	umask(077);
	/* What a killed child has started is ours to wait for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
