/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each name of compat.h does what the newer library's does. Where this machine's library has its
 * own, the two are compared: (name)() is the library's, as no macro with arguments fits it.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if __GLIBC_PREREQ(2, 36)
static const idtype_t of_glibc = P_PIDFD;
#else
static const idtype_t of_glibc = (idtype_t)3;
#endif

#include "compat/compat.h"

static void test_steal_fd(void **state)
{
	int fd = 7, none = -1;

	errno = EXDEV;
	assert_int_equal(g_steal_fd(&fd), 7);
	assert_int_equal(fd, -1);
	assert_int_equal(g_steal_fd(&fd), -1);
	assert_int_equal(g_steal_fd(&none), -1);
	assert_int_equal(none, -1);
	assert_int_equal(errno, EXDEV);
#if GLIB_CHECK_VERSION(2, 70, 0)
	G_GNUC_BEGIN_IGNORE_DEPRECATIONS
	fd = 7;
	assert_int_equal((g_steal_fd)(&fd), 7);
	assert_int_equal(fd, -1);
	G_GNUC_END_IGNORE_DEPRECATIONS
#endif
}

/* What wait(2) says of a child that ends with @code, or by @signal */
static int status_of_child(int code, int signal)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (signal)
			raise(signal);
		_exit(code);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_wait_status(void **state)
{
	const struct {
		int code, signal;
		GQuark domain; /* 0: it is good */
		int error;
	} cases[] = {
		{ 0, 0, 0, 0 },
		{ 3, 0, G_SPAWN_EXIT_ERROR, 3 },
		{ 0, SIGKILL, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		int status = status_of_child(cases[i].code, cases[i].signal);

		assert_int_equal(g_spawn_check_wait_status(status, &error), cases[i].domain == 0);
		assert_int_equal(error != NULL, cases[i].domain != 0);
		if (error)
			assert_true(g_error_matches(error, cases[i].domain, cases[i].error));
#if GLIB_CHECK_VERSION(2, 70, 0)
		g_autoptr(GError) theirs = NULL;
		G_GNUC_BEGIN_IGNORE_DEPRECATIONS
		assert_int_equal((g_spawn_check_wait_status)(status, &theirs), error == NULL);
		G_GNUC_END_IGNORE_DEPRECATIONS
		if (error)
			assert_string_equal(error->message, theirs->message);
#endif
	}
}

static void test_wait_by_pidfd(void **state)
{
	siginfo_t info = { 0 };
	pid_t pid = fork();

	if (pid == 0)
		_exit(5);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(fd >= 0);
	assert_int_equal(P_PIDFD, of_glibc);
	assert_int_equal(waitid(P_PIDFD, (id_t)fd, &info, WEXITED), 0);
	assert_int_equal(info.si_pid, pid);
	assert_int_equal(info.si_status, 5);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steal_fd),
		cmocka_unit_test(test_wait_status),
		cmocka_unit_test(test_wait_by_pidfd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
