/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/vfio/N: waited for by an event, and owned without following anything. */
#include <gio/gio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/error.h"
#include "vfio/node.h"

/* What must come comes at once; so long waits a test that would fail. */
#define LONG_MS 20000

static int setup(void **state)
{
	*state = fake_sysfs_new();
	return 0;
}

static int teardown(void **state)
{
	fake_sysfs_free(*state);
	return 0;
}

/* Is the process asleep in poll(2), for the node to come? */
static gboolean is_asleep(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) && strstr(text, ") S ");
}

static pid_t start_waiting(FakeSysfs *fs)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(!hvr_node_wait(&fs->host, 14, LONG_MS, NULL));
	assert_true(pid > 0);
	while (!is_asleep(pid))
		g_usleep(100);
	return pid;
}

static void assert_came(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* There already; there in the folder that was there; there with its folder. */
static void test_wait(void **state)
{
	FakeSysfs *fs = *state;
	pid_t pid = start_waiting(fs);

	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	assert_came(pid);
	assert_true(hvr_node_wait(&fs->host, 14, 0, NULL));

	fake_sysfs_remove_file(fs, "dev/vfio/14");
	pid = start_waiting(fs);
	fake_sysfs_put_file(fs, "dev/vfio/15", "");
	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	assert_came(pid);
}

/* At the deadline it is said what did not come, whatever else did. */
static void test_wait_in_vain(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(GError) error = NULL;

	fake_sysfs_put_file(fs, "dev/vfio/1", "");
	assert_false(hvr_node_wait(&fs->host, 14, 20, &error));
	assert_true(g_error_matches(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT));
	assert_string_equal(error->message, "the node vfio/14 did not appear within 20 ms");
}

/* Owner and mode are the node's. */
static void test_own(void **state)
{
	FakeSysfs *fs = *state;
	g_autofree char *node = g_strconcat(fs->root, "/dev/vfio/14", NULL);
	uid_t uid = geteuid() == 0 ? 1234 : geteuid();
	gid_t gid = geteuid() == 0 ? 2345 : getegid();
	struct stat st;

	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	assert_true(hvr_node_own(&fs->host, 14, uid, gid, 0640, NULL));
	assert_int_equal(stat(node, &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
	assert_int_equal(st.st_mode & 07777, 0640);
}

/* A link in place of the node, or of its folder, is refused; what it leads to stays as it is. */
static void test_own_link(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(GError) link = NULL, folder = NULL, missing = NULL;
	g_autofree char *precious = g_strconcat(fs->root, "/dev/precious", NULL);
	struct stat before, after;

	fake_sysfs_put_file(fs, "dev/precious", "");
	fake_sysfs_put_file(fs, "run/vfio/14", "");
	assert_int_equal(stat(precious, &before), 0);
	fake_sysfs_put_link(fs, "dev/vfio/14", "../precious");
	assert_false(hvr_node_own(&fs->host, 14, 1234, 1234, 0666, &link));
	assert_true(g_error_matches(link, G_IO_ERROR, G_IO_ERROR_TOO_MANY_LINKS));
	assert_int_equal(stat(precious, &after), 0);
	assert_int_equal(before.st_uid, after.st_uid);
	assert_int_equal(before.st_mode, after.st_mode);

	fake_sysfs_remove_file(fs, "dev/vfio");
	fake_sysfs_put_link(fs, "dev/vfio", "../run/vfio");
	assert_false(hvr_node_own(&fs->host, 14, 1234, 1234, 0666, &folder));
	fake_sysfs_remove_file(fs, "dev/vfio");
	assert_false(hvr_node_own(&fs->host, 14, 1234, 1234, 0666, &missing));
	assert_true(g_error_matches(missing, G_IO_ERROR, G_IO_ERROR_NOT_FOUND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait_in_vain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_link, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
