/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pid with its start time is one process for all time, whatever it calls itself. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/runtime/process.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"

#define BEFORE_START " 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 "
#define BEHIND_START " 12345 67 18446744073709551615\n"

/* Any name is fine, any garbage is no process, a zombie is dead. */
static void test_stat(void **state)
{
	static const struct {
		const char *stat;
		guint64 start_time; /* 0: no process */
		gboolean alive;
	} cases[] = {
		{ "7 (qemu) S" BEFORE_START "4711" BEHIND_START, 4711, TRUE },
		{ "7 (a) R (b)) S" BEFORE_START "4711" BEHIND_START, 4711, TRUE },
		{ "7 (\n) D" BEFORE_START "4711" BEHIND_START, 4711, TRUE },
		{ "7 (qemu) Z" BEFORE_START "4711" BEHIND_START, 4711, FALSE },
		{ "7 (qemu) X" BEFORE_START "4711" BEHIND_START, 4711, FALSE },
		{ "7 (qemu) S" BEFORE_START "18446744073709551615" BEHIND_START, G_MAXUINT64,
		  TRUE },
		{ "7 (qemu) S" BEFORE_START "x" BEHIND_START, 0, FALSE },
		{ "7 (qemu) S 1 2 3\n", 0, FALSE },
		{ "7 (qemu)", 0, FALSE },
		{ "7 qemu S 1", 0, FALSE },
		{ "", 0, FALSE },
	};
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrProcess process = { 7, 4711 }, other = { 7, 4712 };
		fake_sysfs_put_file(fs, "proc/7/stat", cases[i].stat);
		HvrProcess seen = hvr_process_of(&fs->host, 7);
		assert_int_equal(seen.start_time, cases[i].start_time);
		assert_int_equal(seen.pid, cases[i].start_time ? 7 : 0);
		if (cases[i].start_time == 4711)
			assert_int_equal(hvr_process_alive(&fs->host, &process), cases[i].alive);
		assert_false(hvr_process_alive(&fs->host, &other));
	}
}

/* By a signal or by who traces it; but not another one that has its pid now. */
static void test_stopped(void **state)
{
	static const struct {
		const char *stat;
		gboolean stopped;
	} cases[] = { { "7 (qemu) T" BEFORE_START "4711" BEHIND_START, TRUE },
		      { "7 (qemu) t" BEFORE_START "4711" BEHIND_START, TRUE },
		      { "7 (T) S" BEFORE_START "4711" BEHIND_START, FALSE },
		      { "7 (qemu) T" BEFORE_START "4712" BEHIND_START, FALSE } };
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	const HvrProcess process = { 7, 4711 };

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		fake_sysfs_put_file(fs, "proc/7/stat", cases[i].stat);
		assert_int_equal(hvr_process_stopped(&fs->host, &process), cases[i].stopped);
	}
}

/* A pidfd is that very process's, or there is none. */
static void test_open(void **state)
{
	const HvrHost host = { .proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) };
	HvrProcess self = hvr_process_of(&host, getpid()), other = self, nobody = { 0, 0 };
	g_auto(HvrFd) pidfd = hvr_process_open(&host, &self);

	assert_true(pidfd >= 0);
	assert_true(hvr_process_signal(pidfd, 0));
	other.start_time++;
	assert_int_equal(hvr_process_open(&host, &other), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(hvr_process_open(&host, &nobody), -1);
	close(host.proc);
}

/* No process is never alive, and has no identity. */
static void test_nobody(void **state)
{
	g_autoptr(FakeSysfs) fs = fake_sysfs_new();
	const HvrProcess nobody = { 0, 0 }, gone = { 99, 1 };

	assert_false(hvr_process_alive(&fs->host, &nobody));
	assert_false(hvr_process_alive(&fs->host, &gone));
	assert_int_equal(hvr_process_of(&fs->host, 0).pid, 0);
	assert_int_equal(hvr_process_of(&fs->host, -1).pid, 0);
	assert_int_equal(hvr_process_of(&fs->host, 99).pid, 0);
}

/* On this machine: ourselves, and a child from its life to its end. */
static void test_real(void **state)
{
	g_auto(HvrFd) proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const HvrHost host = { .proc = proc };
	int pipes[2];
	char byte;

	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit((close(pipes[1]), read(pipes[0], &byte, 1)) != 0);
	HvrProcess self = hvr_process_of(&host, getpid()), child = hvr_process_of(&host, pid);
	assert_int_equal(child.pid, pid);
	assert_true(child.start_time >= self.start_time);
	assert_true(hvr_process_alive(&host, &self) && hvr_process_alive(&host, &child));

	siginfo_t info;
	close(pipes[1]);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(hvr_process_alive(&host, &child)); /* a zombie */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(hvr_process_alive(&host, &child));
	close(pipes[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat), cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_open), cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
