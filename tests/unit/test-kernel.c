/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real kernel's seam, on files that fail and hang as attributes do: a FIFO that nobody reads
 * blocks whoever opens it, and one that is full blocks whoever writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/access.h"
#include "vfio/error.h"
#include "vfio/fd.h"

static int setup(void **state)
{
	FakeSysfs *fs = fake_sysfs_new();

	fs->host.kernel = &hvr_kernel_linux;
	*state = fs;
	return 0;
}

static int teardown(void **state)
{
	fake_sysfs_free(*state);
	return 0;
}

static gboolean write_to(FakeSysfs *fs, const char *path, guint timeout_ms, GError **error)
{
	return fs->host.kernel->write(&fs->host, path, "value\n", timeout_ms, error);
}

static void make_fifo(FakeSysfs *fs, const char *path)
{
	g_autofree char *full = g_strconcat(fs->root, "/", path, NULL);

	assert_int_equal(mkfifo(full, 0600), 0);
}

/* One write, of these bytes, and no child is left. */
static void test_write(void **state)
{
	FakeSysfs *fs = *state;

	fake_sysfs_put_file(fs, "sys/attribute", "");
	assert_true(write_to(fs, "attribute", 10000, NULL));
	g_autofree char *text = fake_sysfs_text(fs, "sys/attribute");
	assert_string_equal(text, "value");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static char *read_from(FakeSysfs *fs, const char *path, guint timeout_ms, GError **error)
{
	return fs->host.kernel->read(&fs->host, fs->host.sys, path, timeout_ms, error);
}

/* The text as it is, none of it too, and no child is left. */
static void test_read(void **state)
{
	static const char *const texts[] = { "vfio-pci\n", "", "no newline" };
	FakeSysfs *fs = *state;

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		fake_sysfs_put_file(fs, "sys/attribute", texts[i]);
		g_autofree char *text = read_from(fs, "attribute", 10000, NULL);
		assert_string_equal(text, texts[i]);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* The errno of the child's open comes out as it was. */
static void test_errors(void **state)
{
	static const struct {
		const char *path;
		int error_number;
	} cases[] = {
		{ "missing", ENOENT }, { "folder", EISDIR }, { "file/below", ENOTDIR },
		{ "loop", ELOOP },     { "outside", EXDEV }, { "../run/outside", EXDEV },
	};
	FakeSysfs *fs = *state;

	fake_sysfs_put_file(fs, "sys/folder/file", "");
	fake_sysfs_put_file(fs, "sys/file", "");
	fake_sysfs_put_file(fs, "run/outside", "");
	fake_sysfs_put_link(fs, "sys/loop", "loop");
	fake_sysfs_put_link(fs, "sys/outside", "../run/outside");
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		assert_false(write_to(fs, cases[i].path, 10000, &error));
		assert_int_equal(error->domain, G_IO_ERROR);
		assert_int_equal(error->code, g_io_error_from_errno(cases[i].error_number));
		assert_string_equal(error->message, g_strerror(cases[i].error_number));

		g_autoptr(GError) unread = NULL;
		assert_null(read_from(fs, cases[i].path, 10000, &unread));
		assert_string_equal(unread->message, error->message);
	}
	g_autofree char *outside = fake_sysfs_text(fs, "run/outside");
	assert_string_equal(outside, "");
}

/* The errno of the write itself: a device that is always full. */
static void test_write_error(void **state)
{
	g_auto(HvrFd) dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const HvrHost host = { .sys = dev, .proc = -1 };
	g_autoptr(GError) error = NULL;

	assert_false(hvr_kernel_linux.write(&host, "full", "value\n", 10000, &error));
	assert_true(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE));
}

/* The process that the message names, with a stack where /proc had one. */
static pid_t stuck_process(const GError *error)
{
	const char *pid = strstr(error->message, "process ");

	assert_true(g_error_matches(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT));
	assert_non_null(pid);
	return (pid_t)atoi(pid + strlen("process "));
}

/* A process with a main loop keeps no zombie of it. */
static void assert_taken(pid_t pid)
{
	alarm(20);
	while (kill(pid, 0) == 0)
		g_main_context_iteration(NULL, TRUE);
	assert_int_equal(errno, ESRCH);
	alarm(0);
}

/* A write that hangs is left at its deadline, named, and killed as soon as the kernel lets it. */
static void test_deadline(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(GError) error = NULL;
	gint64 start_us = g_get_monotonic_time();

	make_fifo(fs, "sys/hanging");
	assert_false(write_to(fs, "hanging", 50, &error));
	assert_true(g_get_monotonic_time() - start_us >= 50000);
	assert_true(g_get_monotonic_time() - start_us < 10 * G_USEC_PER_SEC);
	assert_non_null(strstr(error->message, "the kernel did not finish writing hanging within "
					       "0.05 s; process "));
	assert_non_null(strstr(error->message, " is left in it, kernel stack: not readable"));
	pid_t pid = stuck_process(error);
	assert_taken(pid);
}

static FakeSysfs *told_of;
static char *told;
static int reader = -1;

/* What it waited for comes at last. */
static void on_slow(const char *text)
{
	g_autofree char *full = g_strconcat(told_of->root, "/sys/driver/bind", NULL);

	assert_null(told);
	told = g_strdup(text);
	reader = open(full, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
}

/* One that may take longer than usual is told of, and watched on: it ends well. */
static void test_slow(void **state)
{
	FakeSysfs *fs = *state;

	told_of = fs;
	fs->host.tell = on_slow;
	fs->host.step_timeout_ms = 50;
	fake_sysfs_put_file(fs, "sys/driver/unbind", "");
	make_fifo(fs, "sys/driver/bind");
	assert_true(write_to(fs, "driver/bind", 20000, NULL));
	assert_string_equal(told, "value\n: still in the driver's probe after 0.05 s; waiting for "
				  "up to 20 s");
	g_clear_pointer(&told, g_free);
	hvr_fd_close(reader);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* The same in write(2). */
static void test_deadline_in_write(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(GError) error = NULL;
	g_autofree char *full = g_strconcat(fs->root, "/sys/hanging", NULL);
	char byte = 0;

	make_fifo(fs, "sys/hanging");
	g_auto(HvrFd) fifo = open(full, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	while (write(fifo, &byte, 1) == 1)
		;
	assert_false(write_to(fs, "hanging", 50, &error));
	assert_taken(stuck_process(error));
}

/* And in reading, behind a lock that a hanging driver has. */
static void test_deadline_in_read(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(GError) error = NULL;

	make_fifo(fs, "sys/hanging");
	assert_null(read_from(fs, "hanging", 50, &error));
	assert_non_null(strstr(error->message, "the kernel did not finish reading hanging within "
					       "0.05 s; process "));
	assert_taken(stuck_process(error));
}

/* The mask that keeps signals from the child is taken back for the parent. */
static void test_signals_stay_ours(void **state)
{
	FakeSysfs *fs = *state;
	sigset_t before, after;

	fake_sysfs_put_file(fs, "sys/attribute", "");
	sigprocmask(SIG_SETMASK, NULL, &before);
	assert_true(write_to(fs, "attribute", 10000, NULL));
	sigprocmask(SIG_SETMASK, NULL, &after);
	for (int number = 1; number < NSIG; number++)
		assert_int_equal(sigismember(&before, number), sigismember(&after, number));
}

/* No node is no error; a file that is no VFIO group is one. */
static void test_access_status(void **state)
{
	FakeSysfs *fs = *state;
	HvrAccess group = hvr_access_of_group(14);
	HvrAccessStatus status = HVR_ACCESS_VIABLE;
	g_autoptr(GError) error = NULL;

	assert_true(fs->host.kernel->access_status(&fs->host, group, &status, NULL));
	assert_int_equal(status, HVR_ACCESS_NO_NODE);
	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	assert_false(fs->host.kernel->access_status(&fs->host, group, &status, &error));
	assert_non_null(strstr(error->message, "cannot ask VFIO for the status of group 14: "));
	assert_int_equal(status, HVR_ACCESS_NO_NODE);
}

/* A container node that is not there, or none, is told apart from a lack of the IOMMU. */
static void test_container(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(GError) missing = NULL, none = NULL;

	assert_false(fs->host.kernel->container_check(&fs->host, &missing));
	assert_true(g_error_matches(missing, G_IO_ERROR, G_IO_ERROR_NOT_FOUND));
	fake_sysfs_put_file(fs, "dev/vfio/vfio", "");
	assert_false(fs->host.kernel->container_check(&fs->host, &none));
	assert_true(g_error_matches(none, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NO_IOMMU));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test(test_write_error),
		cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deadline_in_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deadline_in_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signals_stay_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_access_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_container, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
