/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors: what is opened below one is below it, and all that is to be moved is moved. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

/* Several times what a pipe holds. */
#define BYTES (1024 * 1024)

static int setup(void **state)
{
	FakeSysfs *fs = fake_sysfs_new();

	fake_sysfs_put_file(fs, "secret", "outside\n");
	fake_sysfs_put_file(fs, "sys/t/line", "flr bus\n");
	fake_sysfs_put_link(fs, "sys/t/inside", "../t/line");
	fake_sysfs_put_link(fs, "sys/t/outside", "../../secret");
	fake_sysfs_put_link(fs, "sys/t/absolute", "/");
	*state = fs;
	return 0;
}

static int teardown(void **state)
{
	fake_sysfs_free(*state);
	return 0;
}

/* No spelling of a path, and no link on the way, leads out of the descriptor. */
static void test_beneath(void **state)
{
	const FakeSysfs *fs = *state;
	g_autofree char *absolute = g_strconcat(fs->root, "/sys/t/line", NULL);
	const char *cases[] = { "../secret",   "t/../../secret", "t/outside",  "t/absolute/etc",
				"/etc/passwd", absolute,	 "t/absolute", ".." };

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		errno = 0;
		if (hvr_open_beneath(fs->host.sys, cases[i], O_RDONLY) >= 0)
			fail_msg("'%s' leads out", cases[i]);
		assert_int_equal(errno, EXDEV);
		assert_false(cases[i][0] != 't' && hvr_tree_exists(fs->host.sys, cases[i]));
	}
}

/* Descriptors are closed on exec, and O_NOFOLLOW is heeded. */
static void test_open_flags(void **state)
{
	const FakeSysfs *fs = *state;
	g_auto(HvrFd) fd = hvr_open_beneath(fs->host.sys, "t/line", O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(hvr_open_beneath(fs->host.sys, "t/inside", O_RDONLY | O_NOFOLLOW), -1);
	assert_int_equal(errno, ELOOP);
}

/* The path of a descriptor leads to what it is open on, for libraries that know no descriptors. */
static void test_fd_path(void **state)
{
	const FakeSysfs *fs = *state;
	g_autofree char *path = hvr_fd_path(fs->host.sys, "t/line");
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, "flr bus\n");
}

static void interrupted(int number)
{
}

/* A signal every few milliseconds, which ends whatever the kernel waits in. Not oftener: valgrind
 * takes a millisecond for one, and would do nothing else. */
static void set_interrupting(gboolean on)
{
	const struct sigaction act = { .sa_handler = interrupted };
	const struct itimerval often = { { 0, on ? 5000 : 0 }, { 0, on ? 5000 : 0 } };

	assert_int_equal(sigaction(SIGALRM, &act, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

/* Reads slowly until the end; its status is whether all came, in order. */
static pid_t start_reader(int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		g_autofree guint32 *words = g_malloc(BYTES);
		gsize length = 0;
		gssize n;

		while ((n = read(fd, (char *)words + length, MIN(BYTES - length, 20000))) > 0) {
			length += (gsize)n;
			g_usleep(500);
		}
		for (guint32 i = 0; i < BYTES / sizeof(*words); i++)
			if (words[i] != i)
				_exit(1);
		_exit(length != BYTES);
	}
	assert_true(pid > 0);
	return pid;
}

static void write_to_reader(int flags)
{
	g_autofree guint32 *words = g_malloc(BYTES);
	int pipes[2], status = -1;

	for (guint32 i = 0; i < BYTES / sizeof(*words); i++)
		words[i] = i;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(fcntl(pipes[1], F_SETFL, flags), 0);
	pid_t pid = start_reader(pipes[0]);
	hvr_fd_close(pipes[0]);
	set_interrupting(TRUE);
	assert_true(hvr_fd_write_all(pipes[1], words, BYTES));
	set_interrupting(FALSE);
	hvr_fd_close(pipes[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Neither a full pipe nor a signal cuts anything off. */
static void test_write(void **state)
{
	write_to_reader(0);
	write_to_reader(O_NONBLOCK);
}

static void test_write_fails(void **state)
{
	int pipes[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	hvr_fd_close(pipes[0]);
	errno = 0;
	assert_false(hvr_fd_write_all(pipes[1], "x", 1));
	assert_int_equal(errno, EPIPE);
	assert_true(hvr_fd_write_all(pipes[1], NULL, 0));
	hvr_fd_close(pipes[1]);
}

/* What comes in pieces, between signals, is one whole. */
static void test_read(void **state)
{
	g_autofree char *bytes = g_malloc(BYTES);
	int pipes[2], status = -1;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		memset(bytes, 'x', BYTES);
		for (guint i = 0; i < 10; i++) {
			if (!hvr_fd_write_all(pipes[1], bytes, BYTES / 16))
				_exit(1);
			g_usleep(2000);
		}
		_exit(0);
	}
	hvr_fd_close(pipes[1]);
	set_interrupting(TRUE);
	assert_int_equal(hvr_fd_read_all(pipes[0], bytes, BYTES / 16), BYTES / 16);
	assert_int_equal(hvr_fd_read_all(pipes[0], bytes, BYTES), 9 * (BYTES / 16));
	set_interrupting(FALSE);
	assert_int_equal(hvr_fd_read_all(pipes[0], bytes, BYTES), 0);
	hvr_fd_close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(hvr_fd_read_all(-1, bytes, BYTES), -1);
	assert_int_equal(errno, EBADF);
}

/* Until the deadline, whatever signals come; what is there already is seen also after it. */
static void test_readable(void **state)
{
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	set_interrupting(TRUE);
	gint64 deadline_us = g_get_monotonic_time() + 20000;
	assert_false(hvr_fd_readable_before(pipes[0], deadline_us));
	assert_true(g_get_monotonic_time() >= deadline_us);
	set_interrupting(FALSE);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_true(hvr_fd_readable_before(pipes[0], deadline_us));
	hvr_fd_close(pipes[0]);
	hvr_fd_close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beneath),	    cmocka_unit_test(test_open_flags),
		cmocka_unit_test(test_fd_path),	    cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_fails), cmocka_unit_test(test_read),
		cmocka_unit_test(test_readable),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
