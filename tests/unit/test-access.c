/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nodes of VFIO: what they are called, waited for by an event, owned without following any
 * link. */
#include <errno.h>
#include <fcntl.h>
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
#include "vfio/access.h"
#include "vfio/error.h"

static const HvrAccess group = { .kind = HVR_ACCESS_GROUP, .number = 14 };
static const HvrAccess cdev = { .kind = HVR_ACCESS_CDEV, .number = 3 };

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

/* Each kind has a folder, a name and a subsystem of its own, and a path leads back to it. */
static void test_names(void **state)
{
	static const struct {
		HvrAccess access;
		const char *path, *name, *subsystem;
	} cases[] = {
		{ { HVR_ACCESS_GROUP, 14 }, "vfio/14", "14", "vfio" },
		{ { HVR_ACCESS_GROUP, 0 }, "vfio/0", "0", "vfio" },
		{ { HVR_ACCESS_CDEV, 3 }, "vfio/devices/vfio3", "vfio3", "vfio-dev" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = hvr_access_path(cases[i].access);
		g_autofree char *name = hvr_access_name(cases[i].access);
		HvrAccess parsed = hvr_access_parse(cases[i].path);

		assert_string_equal(path, cases[i].path);
		assert_string_equal(name, cases[i].name);
		assert_string_equal(hvr_access_subsystem(cases[i].access), cases[i].subsystem);
		assert_int_equal(parsed.kind, cases[i].access.kind);
		assert_int_equal(parsed.number, cases[i].access.number);
	}
}

/* VFIO's container gives access to no card; neither does what only looks like a node of VFIO's. */
static void test_other_paths(void **state)
{
	static const char *const paths[] = { "",
					     "hailo0",
					     "vfio",
					     "vfio/",
					     "vfio/vfio",
					     "vfio/-1",
					     "vfio/14x",
					     "vfio/devices/3",
					     "vfio/devices/vfio",
					     "xvfio/14",
					     "vfio/devices/vfio3/x",
					     "vfio/99999999999" };

	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
		if (hvr_access_parse(paths[i]).kind != HVR_ACCESS_NONE)
			fail_msg("'%s' is taken for a way to a card", paths[i]);
}

/* A function's access is its group; without a group nothing is there, and nothing is asked. */
static void test_of_function(void **state)
{
	FakeSysfs *fs = *state;
	const HvrPciFunction card = { .group = 14 }, lonely = { .group = -1 };
	HvrAccess none = hvr_access_of(&lonely);
	g_autofree char *path = hvr_access_path(none);
	gboolean open = TRUE;

	assert_int_equal(hvr_access_of(&card).kind, HVR_ACCESS_GROUP);
	assert_int_equal(hvr_access_of(&card).number, 14);
	assert_int_equal(none.kind, HVR_ACCESS_NONE);
	assert_string_equal(path, "");
	assert_false(hvr_access_exists(&fs->host, none));
	assert_false(hvr_access_is_usable(&fs->host, none));
	errno = 0;
	assert_int_equal(hvr_access_open(&fs->host, none, O_PATH), -1);
	assert_int_equal(errno, ENOENT);
	assert_true(hvr_access_is_open(&fs->host, none, &open, NULL));
	assert_false(open);
	assert_int_equal(fs->calls, 0);
}

/* There, and open to whoever may read and write it. */
static void test_usable(void **state)
{
	FakeSysfs *fs = *state;
	const HvrAccess all[] = { group, cdev };

	for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
		g_autofree char *path = hvr_access_path(all[i]);
		g_autofree char *node = g_strconcat("dev/", path, NULL);
		const HvrNodeOwner own = { geteuid(), getegid(), 0600 },
				   closed = { geteuid(), getegid(), 0400 };

		assert_false(hvr_access_exists(&fs->host, all[i]));
		fake_sysfs_put_file(fs, node, "");
		assert_true(hvr_access_own(&fs->host, all[i], &own, NULL));
		assert_true(hvr_access_exists(&fs->host, all[i]));
		assert_true(hvr_access_is_usable(&fs->host, all[i]));
		assert_true(hvr_access_own(&fs->host, all[i], &closed, NULL));
		assert_int_equal(hvr_access_is_usable(&fs->host, all[i]), geteuid() == 0);
	}
}

/* The kernel's word. Who may not open the node hears of that elsewhere; any other failure to ask
 * is no reason to think it closed. */
static void test_open(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(GError) error = NULL;
	gboolean open = TRUE;

	assert_true(hvr_access_is_open(&fs->host, group, &open, NULL));
	assert_false(open);
	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	fake_sysfs_set_in_use(fs, 14, TRUE);
	assert_true(hvr_access_is_open(&fs->host, group, &open, NULL));
	assert_true(open);
	fake_sysfs_fail_matching(fs, "access_status", EMFILE);
	assert_false(hvr_access_is_open(&fs->host, group, &open, &error));
	assert_int_equal(error->domain, G_IO_ERROR);
	fake_sysfs_fail_matching(fs, "access_status", EACCES);
	assert_true(hvr_access_is_open(&fs->host, group, &open, NULL));
	assert_false(open);
}

static void close_at_third(FakeSysfs *fs, guint call, const char *what, gpointer data)
{
	guint *asked = data;

	if (++*asked == 3)
		fake_sysfs_set_in_use(fs, 14, FALSE);
}

/* Open for a while: until it is closed, and no longer than that, or until the time is over. */
static void test_wait_closed(void **state)
{
	FakeSysfs *fs = *state;
	gint64 now_us = g_get_monotonic_time();
	guint asked = 0;
	gboolean open = FALSE;

	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	fake_sysfs_set_in_use(fs, 14, TRUE);
	assert_true(hvr_access_wait_closed(&fs->host, group, now_us + 250000, &open, NULL));
	assert_true(open);
	assert_true(g_get_monotonic_time() >= now_us + 250000);
	fs->after = close_at_third;
	fs->hook_data = &asked;
	assert_true(hvr_access_wait_closed(&fs->host, group, G_MAXINT64 / 2, &open, NULL));
	assert_false(open);
	assert_int_equal(asked, 3);
	fake_sysfs_fail_matching(fs, "access_status", EMFILE);
	assert_false(hvr_access_wait_closed(&fs->host, group, 0, &open, NULL));
}

/* The kernel has no such word of a device's own node, so it is never said to be closed. */
static void test_open_cdev(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(GError) error = NULL;
	HvrHost host = fs->host;
	gboolean open = TRUE;

	host.kernel = &hvr_kernel_linux;
	assert_true(hvr_access_is_open(&host, cdev, &open, NULL));
	assert_false(open);
	fake_sysfs_put_file(fs, "dev/vfio/devices/vfio3", "");
	assert_false(hvr_access_is_open(&host, cdev, &open, &error));
	assert_string_equal(error->message,
			    "VFIO does not tell who has the node vfio/devices/vfio3 open");
}

/* Is the process asleep in poll(2), for the node to come? */
static gboolean is_asleep(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
	g_autofree char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) && strstr(text, ") S ");
}

static pid_t start_waiting(FakeSysfs *fs, HvrAccess access)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(!hvr_access_wait(&fs->host, access, LONG_MS, NULL));
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
	pid_t pid = start_waiting(fs, group);

	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	assert_came(pid);
	assert_true(hvr_access_wait(&fs->host, group, 0, NULL));

	fake_sysfs_remove_file(fs, "dev/vfio/14");
	pid = start_waiting(fs, group);
	fake_sysfs_put_file(fs, "dev/vfio/15", "");
	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	assert_came(pid);
}

/* Its folder is one further down, and may be missing as well. */
static void test_wait_cdev(void **state)
{
	FakeSysfs *fs = *state;
	pid_t pid = start_waiting(fs, cdev);

	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	fake_sysfs_put_file(fs, "dev/vfio/devices/vfio3", "");
	assert_came(pid);
	fake_sysfs_remove_file(fs, "dev/vfio/devices/vfio3");
	pid = start_waiting(fs, cdev);
	fake_sysfs_put_file(fs, "dev/vfio/devices/vfio3", "");
	assert_came(pid);
}

/* At the deadline it is said what did not come, whatever else did. */
static void test_wait_in_vain(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(GError) error = NULL;

	fake_sysfs_put_file(fs, "dev/vfio/1", "");
	assert_false(hvr_access_wait(&fs->host, group, 20, &error));
	assert_true(g_error_matches(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT));
	assert_string_equal(error->message, "the node vfio/14 did not appear within 0.02 s");
}

/* Owner and mode are the node's. */
static void test_own(void **state)
{
	FakeSysfs *fs = *state;
	g_autofree char *node = g_strconcat(fs->root, "/dev/vfio/14", NULL);
	const HvrNodeOwner owner = { .uid = geteuid() == 0 ? 1234 : geteuid(),
				     .gid = geteuid() == 0 ? 2345 : getegid(),
				     .mode = 0640 };
	HvrNodeOwner other = owner;
	struct stat st;

	assert_false(hvr_access_is_owned(&fs->host, group, &owner));

	fake_sysfs_put_file(fs, "dev/vfio/14", "");
	assert_true(hvr_access_own(&fs->host, group, &owner, NULL));
	assert_int_equal(stat(node, &st), 0);
	assert_int_equal(st.st_uid, owner.uid);
	assert_int_equal(st.st_gid, owner.gid);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_true(hvr_access_is_owned(&fs->host, group, &owner));
	other.mode = 0660;
	assert_false(hvr_access_is_owned(&fs->host, group, &other));
}

/* A link in place of the node, or of its folder, is refused; what it leads to stays as it is. */
static void test_own_link(void **state)
{
	FakeSysfs *fs = *state;
	g_autoptr(GError) link = NULL, folder = NULL, missing = NULL;
	g_autofree char *precious = g_strconcat(fs->root, "/dev/precious", NULL);
	const HvrNodeOwner other = { .uid = 1234, .gid = 1234, .mode = 0666 };
	struct stat before, after;

	fake_sysfs_put_file(fs, "dev/precious", "");
	fake_sysfs_put_file(fs, "run/vfio/14", "");
	assert_int_equal(stat(precious, &before), 0);
	fake_sysfs_put_link(fs, "dev/vfio/14", "../precious");
	assert_false(hvr_access_own(&fs->host, group, &other, &link));
	assert_true(g_error_matches(link, G_IO_ERROR, G_IO_ERROR_TOO_MANY_LINKS));
	assert_int_equal(stat(precious, &after), 0);
	assert_int_equal(before.st_uid, after.st_uid);
	assert_int_equal(before.st_mode, after.st_mode);

	fake_sysfs_remove_file(fs, "dev/vfio");
	fake_sysfs_put_link(fs, "dev/vfio", "../run/vfio");
	assert_false(hvr_access_own(&fs->host, group, &other, &folder));
	fake_sysfs_remove_file(fs, "dev/vfio");
	assert_false(hvr_access_own(&fs->host, group, &other, &missing));
	assert_true(g_error_matches(missing, G_IO_ERROR, G_IO_ERROR_NOT_FOUND));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_other_paths),
		cmocka_unit_test_setup_teardown(test_of_function, setup, teardown),
		cmocka_unit_test_setup_teardown(test_usable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_cdev, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait_cdev, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wait_in_vain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_link, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
