/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a profile comes from: which file a word means, and which files are never read.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/error.h"
#include "launcher/profile.h"

#define VM "[vm]\nmemory = 1G\n"

typedef struct {
	char *folder;
	char *before; /* the working directory that the test began in */
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->before = g_get_current_dir();
	f->folder = g_dir_make_tmp("hvr-profile-XXXXXX", NULL);
	assert_non_null(f->folder);
	assert_int_equal(chdir(f->folder), 0);
	*state = f;
	return 0;
}

static void remove_all(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		if (g_unlink(path) != 0)
			remove_all(path);
	}
	g_rmdir(folder);
}

static int teardown(void **state)
{
	Fixture *f = *state;

	assert_int_equal(chdir(f->before), 0);
	if (!getenv("HVR_KEEP_TMP"))
		remove_all(f->folder);
	g_free(f->folder);
	g_free(f->before);
	g_free(f);
	return 0;
}

static void put(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);

	assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
	assert_true(g_file_set_contents(path, VM, -1, NULL));
}

static void assert_found(const char *word, const char *home, const char *file)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *found = hvr_profile_find(word, home, "system", &error);

	if (g_strcmp0(found, file) != 0)
		fail_msg("\"%s\" is %s%s", word, found ? found : "", error ? error->message : "");
}

/* The nearest place wins: this folder, the user's, the system's. */
static void test_find(void **state)
{
	put("system/lab.ini");
	assert_found("lab", "home", "system/lab.ini");
	put("home/hailo-vm-run/lab.ini");
	assert_found("lab", "home", "home/hailo-vm-run/lab.ini");
	assert_found("lab", NULL, "system/lab.ini");
	put("lab.ini");
	assert_found("lab", "home", "lab.ini");
}

/* A word with a '/' or ".ini" is a path, there or not; nothing is looked up. */
static void test_find_path(void **state)
{
	put("system/lab.ini");
	assert_found("./lab", NULL, "./lab");
	assert_found("../system/lab", NULL, "../system/lab");
	assert_found("lab.ini", NULL, "lab.ini");
}

/* All places that were looked at are named. */
static void test_find_none(void **state)
{
	g_autoptr(GError) error = NULL;

	assert_null(hvr_profile_find("lab", "home", "system", &error));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE));
	assert_string_equal(error->message, "lab: no such profile; looked for lab.ini, "
					    "home/hailo-vm-run/lab.ini and system/lab.ini\n"
					    "a path needs a '/' or ends in .ini");
	g_clear_error(&error);
	assert_null(hvr_profile_find("", NULL, "system", &error));
	assert_string_equal(error->message, "profile: the name is empty");
}

/* A file's folder is where its paths start, wherever the program was started. */
static void test_load(void **state)
{
	Fixture *f = *state;
	const char *const sets[] = { "boot.kernel=vmlinuz", NULL };
	g_autofree char *kernel = g_build_filename(f->folder, "sub", "vmlinuz", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(HvrProfile) profile = NULL;

	put("sub/lab.ini");
	profile = hvr_profile_load("sub/lab.ini", sets, &error);
	assert_null(error);
	assert_string_equal(profile->name, "lab");
	assert_string_equal(profile->kernel, kernel);
	assert_true(g_path_is_absolute(profile->file));
}

static void assert_refused(const char *file, const char *message, int status)
{
	g_autoptr(GError) error = NULL;

	assert_null(hvr_profile_load(file, NULL, &error));
	assert_string_equal(error->message, message);
	assert_int_equal(hvr_exit_status(error), status);
}

static void test_missing(void **state)
{
	assert_refused("a.ini", "a.ini: cannot open it: No such file or directory", 78);
}

static void test_folder(void **state)
{
	assert_int_equal(g_mkdir("a.ini", 0700), 0);
	assert_refused("a.ini", "a.ini: is not a regular file", 78);
}

/* Neither waits for a writer. */
static void test_fifo(void **state)
{
	assert_int_equal(mkfifo("a.ini", 0600), 0);
	assert_refused("a.ini", "a.ini: is not a regular file", 78);
}

static void test_device(void **state)
{
	assert_int_equal(symlink("/dev/zero", "a.ini"), 0);
	assert_refused("a.ini", "a.ini: is not a regular file", 78);
}

static void make_sparse(const char *file, off_t size)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

/* Refused by its size: what is in it does not matter. */
static void test_huge(void **state)
{
	make_sparse("a.ini", 100 << 20);
	assert_refused("a.ini", "a.ini: is larger than 1 MiB: this is no profile", 78);
	make_sparse("b.ini", (1 << 20) + 1);
	assert_refused("b.ini", "b.ini: is larger than 1 MiB: this is no profile", 78);
}

/* The largest file that is read is read whole. */
static void test_largest(void **state)
{
	g_autofree char *text = g_strnfill(1 << 20, '\n');
	g_autoptr(GError) error = NULL;
	g_autoptr(HvrProfile) profile = NULL;

	memcpy(text + (1 << 20) - strlen(VM), VM, strlen(VM));
	assert_true(g_file_set_contents("a.ini", text, 1 << 20, NULL));
	profile = hvr_profile_load("a.ini", NULL, &error);
	assert_null(error);
	assert_non_null(profile);
}

/* Not being allowed to read is not a mistake in the profile. Root may read all. */
static void test_forbidden(void **state)
{
	gboolean root = geteuid() == 0;

	put("a.ini");
	assert_int_equal(g_chmod("a.ini", 0), 0);
	assert_int_equal(root ? seteuid(65534) : 0, 0);
	assert_refused("a.ini", "a.ini: cannot open it: Permission denied", 77);
	assert_int_equal(root ? seteuid(0) : 0, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_find),    TEST(test_find_path), TEST(test_find_none), TEST(test_load),
		TEST(test_missing), TEST(test_folder),	  TEST(test_fifo),	TEST(test_device),
		TEST(test_huge),    TEST(test_largest),	  TEST(test_forbidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
