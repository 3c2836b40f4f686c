/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a profile comes from: which file a word means, and which files are never read.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "launcher/profile/load.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"

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

static int teardown(void **state)
{
	Fixture *f = *state;

	assert_int_equal(chdir(f->before), 0);
	fake_files_end(f->folder);
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
	const HvrProfilePlaces places = { .config_home = home, .system_dir = "system" };
	g_auto(HvrProfileFile) found = { .path = NULL };
	g_autofree char *left = NULL;
	g_autoptr(GError) error = NULL;

	(void)!hvr_profile_find(word, &places, &found, &left, &error);
	if (g_strcmp0(found.path, file) != 0)
		fail_msg("\"%s\" is %s%s", word, found.path ? found.path : "",
			 error ? error->message : "");
	assert_null(left);
	assert_false(found.guarded);
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
	HvrProfilePlaces places = { .config_home = "home", .system_dir = "system" };
	g_auto(HvrProfileFile) found = { .path = NULL };
	g_autofree char *left = NULL;
	g_autoptr(GError) error = NULL;

	assert_false(hvr_profile_find("lab", &places, &found, &left, &error));
	assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE));
	assert_string_equal(error->message, "lab: no such profile; looked for lab.ini, "
					    "home/hailo-vm-run/lab.ini and system/lab.ini\n"
					    "a path needs a '/' or ends in .ini");
	g_clear_error(&error);
	places.config_home = NULL;
	assert_false(hvr_profile_find("", &places, &found, &left, &error));
	assert_string_equal(error->message, "profile: the name is empty");
}

/* What was probably meant: a command where it may be one, a profile in any of the places, a file.
 */
static void test_find_near(void **state)
{
	static const char *const commands[] = { "run", "stop", NULL };
	static const struct {
		const char *word;
		gboolean command;
		const char *said, *hint;
	} cases[] = {
		{ "rnu", TRUE, "rnu: no such command or profile; ", "did you mean 'run'?" },
		{ "rnu", FALSE, "rnu: no such profile; ", "a path needs a '/' or ends in .ini" },
		{ "xy", TRUE, "xy: no such command or profile; ",
		  "commands: hailo-vm-run --help; a path needs a '/' or ends in .ini" },
		{ "hail8", TRUE, "hail8: ", "did you mean 'hailo8'?" },
		{ "hail8", FALSE, "hail8: ", "did you mean 'hailo8'?" },
		{ "rgi", FALSE, "rgi: ", "did you mean 'rig'?" },
		{ "minne", FALSE, "minne: ", "did you mean 'mine'?" },
		{ "hailo8.inn", FALSE, "hailo8.inn: ", "did you mean 'hailo8.ini'?" },
		{ "plain", FALSE, "plain: ", "did you mean './plain'?" },
	};

	put("hailo8.ini");
	put("home/hailo-vm-run/mine.ini");
	put("system/rig.ini");
	put("plain");
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const HvrProfilePlaces places = { .config_home = "home",
						  .system_dir = "system",
						  .commands = cases[i].command ? commands : NULL };
		g_auto(HvrProfileFile) found = { .path = NULL };
		g_autofree char *left = NULL;
		g_autoptr(GError) error = NULL;

		assert_false(hvr_profile_find(cases[i].word, &places, &found, &left, &error));
		if (!g_str_has_prefix(error->message, cases[i].said) ||
		    g_strcmp0(strchr(error->message, '\n') + 1, cases[i].hint) != 0)
			fail_msg("%s: %s", cases[i].word, error->message);
		assert_int_equal(hvr_exit_status(error), 78);
	}
}

static HvrProfile *load(const char *file, const char *const *sets, GError **error)
{
	const HvrProfileFile found = { .path = (char *)file };
	const HvrProfileChanges changes = { .sets = (char **)sets };

	return hvr_profile_load(&found, &changes, error);
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
	profile = load("sub/lab.ini", sets, &error);
	assert_null(error);
	assert_string_equal(profile->name, "lab");
	assert_string_equal(profile->kernel, kernel);
	assert_true(g_path_is_absolute(profile->file));
}

static void assert_refused(const char *file, const char *message, int status)
{
	g_autoptr(GError) error = NULL;

	assert_null(load(file, NULL, &error));
	assert_string_equal(error->message, message);
	assert_int_equal(hvr_exit_status(error), status);
}

static void test_missing(void **state)
{
	assert_refused("a.ini", "profile: 'a.ini' does not exist\ncorrect the path", 78);
	assert_refused("sub/a.ini",
		       "profile: 'sub/a.ini' does not exist (there is no 'sub')\ncorrect the path",
		       78);
	put("labor.ini");
	assert_refused("labro.ini",
		       "profile: 'labro.ini' does not exist\ndid you mean 'labor.ini'?", 78);
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
	assert_refused("a.ini", "a.ini: it is larger than 1 MiB", 78);
	make_sparse("b.ini", (1 << 20) + 1);
	assert_refused("b.ini", "b.ini: it is larger than 1 MiB", 78);
}

/* The largest file that is read is read whole. */
static void test_largest(void **state)
{
	g_autofree char *text = g_strnfill(1 << 20, '\n');
	g_autoptr(GError) error = NULL;
	g_autoptr(HvrProfile) profile = NULL;

	memcpy(text + (1 << 20) - strlen(VM), VM, strlen(VM));
	assert_true(g_file_set_contents("a.ini", text, 1 << 20, NULL));
	profile = load("a.ini", NULL, &error);
	assert_null(error);
	assert_non_null(profile);
}

/* Not being allowed to read is not a mistake in the profile. Root may read all. */
static void test_forbidden(void **state)
{
	gboolean root = geteuid() == 0;

	put("a.ini");
	assert_int_equal(g_chmod(".", 0755), 0);
	assert_int_equal(g_chmod("a.ini", 0), 0);
	assert_int_equal(root ? seteuid(65534) : 0, 0);
	assert_refused("a.ini", "a.ini: cannot open it: Permission denied", 77);
	assert_int_equal(root ? seteuid(0) : 0, 0);
	put("closed/a.ini");
	assert_int_equal(g_chmod("closed", 0), 0);
	assert_int_equal(root ? seteuid(65534) : 0, 0);
	assert_refused("closed/a.ini",
		       "closed/a.ini: cannot open it: Permission denied (folder 'closed' is closed "
		       "to this user)",
		       77);
	assert_int_equal(root ? seteuid(0) : 0, 0);
	assert_int_equal(g_chmod("closed", 0700), 0);
}

static void put_text(const char *path, const char *text)
{
	g_autofree char *folder = g_path_get_dirname(path);

	assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
	assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* What the file says itself comes before what it includes; the rest stays as it was. */
static void test_include(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(HvrProfile) profile = NULL;
	HvrProfileDevice *device;

	put_text("base.ini", "[vm]\nmemory = 1G\ncpus = 4\nname = base\n"
			     "[device npu]\nmatch = 1e60:2864\npick = free\nafter = keep\n"
			     "[net lan]\n");
	put_text("lab.ini", "[device second]\naddress = 03:00.0\n"
			    "[vm]\ninclude = base.ini\nmemory = 2G\nname =\n"
			    "[device npu]\naddress = 02:00.0\nafter = restore\n");
	profile = load("lab.ini", NULL, &error);
	assert_null(error);
	assert_string_equal(profile->name, "lab");
	assert_int_equal(profile->memory_bytes, G_GUINT64_CONSTANT(2) << 30);
	assert_int_equal(profile->cpus, 4);
	assert_int_equal(profile->nets->len, 1);
	assert_int_equal(profile->devices->len, 2);
	device = profile->devices->pdata[0];
	assert_string_equal(device->id, "npu");
	assert_int_equal(device->by, HVR_SELECT_ADDRESS);
	assert_int_equal(device->pick, HVR_PICK_FREE);
	assert_int_equal(device->after, HVR_AFTER_RESTORE);
}

/* Paths start where the line stands, and --set has the last word. */
static void test_include_folders(void **state)
{
	Fixture *f = *state;
	const char *const sets[] = { "boot.initrd=here", "vm.memory=4G", NULL };
	g_autofree char *kernel = g_build_filename(f->folder, "base", "vmlinuz", NULL);
	g_autofree char *initrd = g_build_filename(f->folder, "here", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(HvrProfile) profile = NULL;

	put_text("base/deep.ini", VM "[boot]\nkernel = vmlinuz\n");
	put_text("base/base.ini", "[vm]\ninclude = deep.ini\nmemory = 2G\n");
	put_text("lab.ini", "[vm]\ninclude = base/base.ini\n");
	profile = load("lab.ini", sets, &error);
	assert_null(error);
	assert_string_equal(profile->kernel, kernel);
	assert_string_equal(profile->initrd, initrd);
	assert_int_equal(profile->memory_bytes, G_GUINT64_CONSTANT(4) << 30);
}

/* @place: a file below the test's folder, which stands in front of @message; NULL: none */
static void assert_include_refused(const Fixture *f, const char *place, const char *message)
{
	g_autofree char *whole =
		place ? g_strdup_printf("%s/%s%s", f->folder, place, message) : g_strdup(message);
	g_autoptr(GError) error = NULL;

	assert_null(load("lab.ini", NULL, &error));
	if (!g_str_has_prefix(error->message, whole))
		fail_msg("the message is \"%s\"", error->message);
	assert_int_equal(hvr_exit_status(error), 78);
}

/* A mistake is named where it stands, also one that only the sum makes. */
static void test_include_places(void **state)
{
	Fixture *f = *state;

	put_text("lab.ini", "[vm]\ninclude = base.ini\n");
	assert_include_refused(f, NULL, "lab.ini:2: [vm] include: ");
	put_text("base.ini", "[vm]\nmemory = 1G\n\ncpus = 0\n");
	assert_include_refused(f, "base.ini", ":4: [vm] cpus: \"0\" is out of range");
	put_text("base.ini", "[vm]\nmemory = 1G\ncpus = 1\ncpus = 2\n");
	assert_include_refused(f, "base.ini", ":4: [vm] cpus: comes twice");
	put_text("base.ini", VM "[boot]\ninitrd = a\n");
	assert_include_refused(f, "base.ini", ":4: [boot] initrd: means nothing without a kernel");
	put_text("base.ini", VM "[boot]\nkernel = a\ninitrd = a\n");
	put_text("lab.ini", "[vm]\ninclude = base.ini\n[boot]\nkernel =\n");
	assert_include_refused(f, "base.ini", ":5: [boot] initrd: means nothing without a kernel");
}

/* Files that lead in a circle, or too deep. */
static void test_include_chains(void **state)
{
	Fixture *f = *state;

	put_text("lab.ini", "[vm]\ninclude = ./x/../lab.ini\n");
	assert_include_refused(f, NULL, "lab.ini:2: [vm] include: leads back to '");
	put_text("lab.ini", "[vm]\ninclude = b.ini\n");
	put_text("b.ini", "[vm]\ninclude = lab.ini\n");
	assert_include_refused(f, "b.ini", ":2: [vm] include: leads back to '");
	for (int i = 0; i < 9; i++) {
		g_autofree char *file = g_strdup_printf("d%d.ini", i);
		g_autofree char *text =
			g_strdup_printf("[vm]\nmemory = 1G\ninclude = d%d.ini\n", i + 1);

		put_text(file, text);
	}
	put_text("lab.ini", "[vm]\ninclude = d0.ini\n");
	assert_include_refused(f, "d6.ini", ":3: [vm] include: is the 8th file within another");
	put_text("d6.ini", VM);
	g_autoptr(HvrProfile) profile = load("lab.ini", NULL, NULL);
	assert_non_null(profile);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_find),	   TEST(test_find_path),
		TEST(test_find_none),	   TEST(test_find_near),
		TEST(test_load),	   TEST(test_missing),
		TEST(test_folder),	   TEST(test_fifo),
		TEST(test_device),	   TEST(test_huge),
		TEST(test_largest),	   TEST(test_forbidden),
		TEST(test_include),	   TEST(test_include_folders),
		TEST(test_include_places), TEST(test_include_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
