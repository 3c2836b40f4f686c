/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runtime folder: private, made and opened without following links, and its files whole at any
 * moment.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/report/error.h"
#include "launcher/runtime/runtime.h"
#include "tests/fake/fake-sysfs.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define FOLDER "run/hailo-vm-run"

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

static char *path_of(FakeSysfs *fs, const char *path)
{
	return g_strconcat(fs->root, "/", path, NULL);
}

static mode_t mode_of(FakeSysfs *fs, const char *path)
{
	g_autofree char *full = path_of(fs, path);
	struct stat st;

	assert_int_equal(lstat(full, &st), 0);
	return st.st_mode;
}

static int open_runtime(FakeSysfs *fs, GError **error)
{
	return hvr_runtime_open(fs->host.run, "hailo-vm-run", error);
}

/* Made with all that is in it, private whatever the umask is, and found again. */
static void test_make(void **state)
{
	static const char *const paths[] = { FOLDER, FOLDER "/devices", FOLDER "/locks",
					     FOLDER "/vms" };
	FakeSysfs *fs = *state;
	mode_t old = umask(0);
	g_auto(HvrFd) first = open_runtime(fs, NULL);
	umask(old);
	g_auto(HvrFd) again = open_runtime(fs, NULL);

	assert_true(first >= 0 && again >= 0);
	for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
		assert_int_equal(mode_of(fs, paths[i]), S_IFDIR | 0700);
	assert_true(fcntl(first, F_GETFD) & FD_CLOEXEC);
}

static void assert_not_opened(FakeSysfs *fs)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *before = fake_sysfs_snapshot_run(fs);

	assert_int_equal(open_runtime(fs, &error), -1);
	assert_non_null(error);
	g_autofree char *after = fake_sysfs_snapshot_run(fs);
	assert_string_equal(before, after);
}

/* Open to others, by any bit of any of its folders: refused with 77, and left as it is. */
static void test_modes(void **state)
{
	static const char *const paths[] = { FOLDER, FOLDER "/devices", FOLDER "/locks",
					     FOLDER "/vms" };
	FakeSysfs *fs = *state;
	g_auto(HvrFd) fd = open_runtime(fs, NULL);

	for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
		for (mode_t bit = 1; bit <= 040; bit <<= 1) {
			g_autofree char *full = path_of(fs, paths[i]);
			g_autoptr(GError) error = NULL;
			assert_int_equal(chmod(full, 0700 | bit), 0);
			assert_int_equal(open_runtime(fs, &error), -1);
			assert_int_equal(hvr_exit_status(error), 77);
			assert_non_null(strstr(error->message, "is not private to user"));
			assert_int_equal(mode_of(fs, paths[i]), S_IFDIR | 0700 | bit);
			assert_int_equal(chmod(full, 0700), 0);
		}
}

/* Somebody else's folder is not ours, however private it is. */
static void test_owner(void **state)
{
	FakeSysfs *fs = *state;
	g_auto(HvrFd) fd = open_runtime(fs, NULL);
	g_autofree char *full = path_of(fs, FOLDER "/locks");
	g_autoptr(GError) error = NULL;

	if (chown(full, 1234, 1234) < 0)
		return; /* without root nobody can plant it either */
	assert_int_equal(open_runtime(fs, &error), -1);
	assert_int_equal(hvr_exit_status(error), 77);
}

/* Links and files in place of a folder are refused, also when they lead to a private one. */
static void test_links(void **state)
{
	FakeSysfs *fs = *state;
	g_autofree char *elsewhere = path_of(fs, "run/elsewhere");

	assert_int_equal(mkdir(elsewhere, 0700), 0);
	fake_sysfs_put_link(fs, FOLDER, "elsewhere");
	assert_not_opened(fs);
	fake_sysfs_put_link(fs, FOLDER, "nowhere");
	assert_not_opened(fs);
	fake_sysfs_put_file(fs, FOLDER, "");
	assert_not_opened(fs);
	fake_sysfs_remove_file(fs, FOLDER);
	g_autofree char *own = path_of(fs, FOLDER);
	assert_int_equal(mkdir(own, 0700), 0);
	fake_sysfs_put_link(fs, FOLDER "/devices", "../elsewhere");
	assert_not_opened(fs);
}

/* A file is replaced, not written into: links and other names of the old one see nothing of it. */
static void test_replace(void **state)
{
	FakeSysfs *fs = *state;
	g_auto(HvrFd) dir = open_runtime(fs, NULL);
	g_autofree char *file = path_of(fs, FOLDER "/a"), *other = path_of(fs, FOLDER "/b");

	fake_sysfs_put_file(fs, "run/precious", "precious");
	fake_sysfs_put_link(fs, FOLDER "/.a.new", "../precious");
	fake_sysfs_put_link(fs, FOLDER "/a", "../precious");
	mode_t old = umask(0);
	assert_true(hvr_runtime_replace(dir, "a", "first", NULL));
	umask(old);
	assert_int_equal(mode_of(fs, FOLDER "/a"), S_IFREG | 0600);
	assert_int_equal(link(file, other), 0);
	assert_true(hvr_runtime_replace(dir, "a", "second", NULL));
	g_autofree char *a = fake_sysfs_text(fs, FOLDER "/a"),
			*b = fake_sysfs_text(fs, FOLDER "/b");
	g_autofree char *precious = fake_sysfs_text(fs, "run/precious");
	assert_string_equal(a, "second");
	assert_string_equal(b, "first");
	assert_string_equal(precious, "precious");
	assert_false(fake_sysfs_exists(fs, FOLDER "/.a.new"));
}

/* A file that cannot be replaced is as it was, and nothing half done is left beside it. */
static void test_replace_fails(void **state)
{
	FakeSysfs *fs = *state;
	g_auto(HvrFd) dir = open_runtime(fs, NULL);
	g_autofree char *folder = path_of(fs, FOLDER "/a");
	g_autoptr(GError) error = NULL;

	assert_int_equal(mkdir(folder, 0700), 0);
	assert_false(hvr_runtime_replace(dir, "a", "text", &error));
	assert_non_null(strstr(error->message, "cannot write 'a'"));
	assert_false(fake_sysfs_exists(fs, FOLDER "/.a.new"));
	assert_int_equal(mode_of(fs, FOLDER "/a"), S_IFDIR | 0700);
}

static int replace_on_full_disk(FakeSysfs *fs)
{
	g_autofree char *mount_point = path_of(fs, "run");
	g_autofree char *big = g_strnfill(1 << 20, 'x');
	g_autoptr(GError) error = NULL;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("full", mount_point, "tmpfs", 0, "size=64k,mode=0700") < 0)
		return 77;
	g_auto(HvrFd) dir = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!hvr_runtime_replace(dir, "a", "old", NULL))
		return 1;
	if (hvr_runtime_replace(dir, "a", big, &error) || !strstr(error->message, "No space left"))
		return 2;
	g_autofree char *text = hvr_tree_read(dir, "a", NULL);
	g_autoptr(GPtrArray) names = hvr_tree_list(dir, ".");
	return g_strcmp0(text, "old") == 0 && names->len == 1 ? 0 : 3;
}

/* On a full disk the old file stays, whole, and the space that was tried is given back. */
static void test_full_disk(void **state)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(replace_on_full_disk(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 77) /* may not mount here */
		assert_int_equal(WEXITSTATUS(status), 0);
}

/* What is not there is removed already; a folder is not a file. */
static void test_remove(void **state)
{
	FakeSysfs *fs = *state;
	g_auto(HvrFd) dir = open_runtime(fs, NULL);
	g_autoptr(GError) error = NULL;

	assert_true(hvr_runtime_remove(dir, "a", NULL));
	assert_true(hvr_runtime_replace(dir, "a", "", NULL));
	assert_true(hvr_runtime_remove(dir, "a", NULL));
	assert_false(fake_sysfs_exists(fs, FOLDER "/a"));
	assert_false(hvr_runtime_remove(dir, "vms", &error));
	assert_non_null(strstr(error->message, "cannot remove 'vms'"));
}

/* A socket of ours alone, however long its path; a link in its place makes none elsewhere. */
static void test_listen(void **state)
{
	FakeSysfs *fs = *state;
	g_auto(HvrFd) dir = open_runtime(fs, NULL);
	g_autofree char *name = g_strnfill(60, 'n');
	g_autofree char *path = g_strconcat(FOLDER "/", name, NULL);
	mode_t old = umask(0);
	g_auto(HvrFd) fd = hvr_runtime_listen(dir, name, NULL);
	umask(old);
	int listening = 0;
	socklen_t size = sizeof(listening);

	assert_true(fd >= 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size), 0);
	assert_true(listening);
	assert_int_equal(mode_of(fs, path), S_IFSOCK | 0600);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);

	fake_sysfs_put_link(fs, FOLDER "/planted", "../made");
	g_autoptr(GError) error = NULL;
	assert_int_equal(hvr_runtime_listen(dir, "planted", &error), -1);
	assert_non_null(strstr(error->message, "cannot listen on 'planted'"));
	assert_false(fake_sysfs_exists(fs, "run/made"));
}

/* A name that does not fit is an error, and no socket of another name. */
static void test_listen_long(void **state)
{
	FakeSysfs *fs = *state;
	g_auto(HvrFd) dir = open_runtime(fs, NULL);
	g_autofree char *name = g_strnfill(120, 'n');
	g_autofree char *before = fake_sysfs_snapshot_run(fs);

	assert_int_equal(hvr_runtime_listen(dir, name, NULL), -1);
	g_autofree char *after = fake_sysfs_snapshot_run(fs);
	assert_string_equal(before, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_make, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen_long, setup, teardown),
	};

	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
