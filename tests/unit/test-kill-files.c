/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job is killed before and after every system call by which it changes its runtime folder: the
 * journal, the locks, the VM's record.
 *
 * The child is traced and stopped at each system call. One that makes, names, removes or syncs a
 * file below a descriptor is of the product, as the fake kernel works with whole paths; there the
 * child is killed, once when the call is about to be made and once when it has been made. What
 * another process then makes of it is the same as in test-kill.c.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ptrace.h>

#include <cmocka.h>

#include "launcher/process/interrupt.h"
#include "tests/unit/scenarios.h"

static guint n_points;

/* Is the call that the child has been stopped at one that changes the runtime folder? */
static gboolean changes_files(const struct ptrace_syscall_info *info)
{
	gboolean below = (int)info->entry.args[0] != AT_FDCWD;

	switch (info->entry.nr) {
	case SYS_openat:
		return below && (info->entry.args[2] & O_CREAT);
	case SYS_mkdirat:
	case SYS_renameat:
	case SYS_renameat2:
	case SYS_unlinkat:
		return below;
	case SYS_fsync:
	case SYS_ftruncate:
		return TRUE;
	default:
		return FALSE;
	}
}

static G_NORETURN void child(Machine *machine)
{
	machine_show_process(machine, getpid());
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(77);
	raise(SIGSTOP);
	_exit(!machine_go(machine, NULL));
}

/* Goes on to the next stop, handing signals on. FALSE: the child has ended. */
static gboolean next_stop(pid_t pid, int *status)
{
	int number = WIFSTOPPED(*status) ? WSTOPSIG(*status) : 0;
	gboolean ours = number == (SIGTRAP | 0x80) || number == SIGSTOP || number == SIGTRAP;

	if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)(ours ? 0 : number)) < 0)
		return FALSE;
	while (waitpid(pid, status, __WALL) < 0)
		if (errno != EINTR)
			return FALSE;
	return WIFSTOPPED(*status);
}

/*
 * Lets the child run to the @point'th place, counted from 1, and kills it there: odd ones are in
 * front of a call, even ones behind it. Returns FALSE when there are fewer places.
 */
static gboolean kill_at_place(pid_t pid, guint point)
{
	struct ptrace_syscall_info info = { 0 };
	gboolean inside = FALSE;
	guint seen = 0;
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(
		ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
	while (next_stop(pid, &status)) {
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
			break;
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			inside = changes_files(&info);
		if (inside && ++seen == point) {
			kill(pid, SIGKILL);
			assert_int_equal(waitpid(pid, &status, __WALL), pid);
			return TRUE;
		}
		if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			inside = FALSE;
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return FALSE;
}

static gboolean run_killed(Machine *machine, guint point)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		child(machine);
	assert_true(pid > 0);
	gboolean killed = kill_at_place(pid, point);
	while (waitpid(-1, &status, 0) > 0) /* its QEMU */
		;
	machine_hide_process(machine, pid);
	return killed;
}

static void fail_point(const Machine *machine, guint point, const char *what)
{
	g_autofree char *messages = machine_messages(machine);

	fail_msg("%s, killed %s call %u: %s\n%s", machine->scenario->name,
		 point % 2 ? "before" : "after", (point + 1) / 2, what, messages);
}

static void mend(Machine *machine, guint point, const char *job)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *unaccounted = machine_unaccounted(machine);

	if (unaccounted)
		fail_point(machine, point, unaccounted);
	if (job && !machine_do(machine, job, &error))
		fail_point(machine, point, error->message);
	if (!machine_do(machine, "release", &error))
		fail_point(machine, point, error->message);
	machine_unload(machine);
	g_autofree char *difference = machine_difference(machine);
	if (difference)
		fail_point(machine, point, difference);
}

static void kill_everywhere(const char *name, const char *job)
{
	const Scenario *scenario = scenarios;

	while (g_strcmp0(scenario->name, name) != 0)
		scenario++;
	g_autoptr(Machine) machine = machine_new(scenario);
	for (guint point = 1; run_killed(machine, point); point++) {
		n_points++;
		mend(machine, point, job);
	}
	machine_unload(machine);
	g_autofree char *difference = machine_difference(machine);
	assert_null(difference);
}

/* After a kill at any file operation, `release --all` makes the machine what it was. */
static void test_release(void **state)
{
	kill_everywhere("century, bind", NULL);
	kill_everywhere("prepared, then run", NULL);
	kill_everywhere("kept", NULL);
}

/* So does the next run. */
static void test_next_run(void **state)
{
	kill_everywhere("century, bind", "run");
	printf("kill-files: %u points\n", n_points);
	assert_true(n_points >= 200);
}

static gboolean may_trace(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_next_run),
	};

	if (geteuid() != 0 || !may_trace())
		return 77;
	umask(077);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	hvr_interrupt_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
