/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which nodes are evdev's, and whose. That QEMU gets one and the guest its keys is the lab's (usb).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/parts/input.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

#define NOBODY 65534

static char *folder;

static int setup(void **state)
{
	if (geteuid() != 0)
		_exit(77);
	folder = g_dir_make_tmp("hvr-input-XXXXXX", NULL);
	chmod(folder, 0755);
	fake_files_write(folder, "file", "", 0666);
	fake_files_write(folder, "mine", "", 0600);
	g_autofree char *file = g_build_filename(folder, "file", NULL);
	chmod(file, 0666);
	return 0;
}

static int teardown(void **state)
{
	fake_files_end(folder);
	g_free(folder);
	return 0;
}

static void assert_refused(const char *path, int status, const char *said)
{
	g_autofree char *full =
		path[0] == '/' ? g_strdup(path) : g_build_filename(folder, path, NULL);
	const HvrProfileInput input = { .id = (char *)"kbd", .evdev = full };
	HvrUser user = {
		.name = (char *)"nobody", .uid = NOBODY, .gid = NOBODY, .privileged = TRUE
	};
	g_autoptr(GError) error = NULL;
	g_auto(HvrFd) fd = hvr_input_open(&input, &user, NULL, &error);

	assert_int_equal(fd, -1);
	if (hvr_exit_status(error) != status || !strstr(error->message, said))
		fail_msg("%s: %d %s", path, hvr_exit_status(error), error->message);
}

static void test_refused(void **state)
{
	assert_refused("/dev/null", 69, "is no keyboard or pointer");
	assert_refused("/dev/ptmx", 69, "is no keyboard or pointer");
	assert_refused("file", 69, "is no keyboard or pointer");
	assert_refused("missing", 69, "No such file");
	assert_refused("mine", 77, "name a node below /dev/input/");
	assert_refused("/", 69, "cannot open '/': Is a directory");
}

/* By a link of udev's and by the kernel's name. That hvr_input_check() asks is the lab's (usb). */
static void test_one_under_two_names(void **state)
{
	static const guint64 numbers[] = { 0xd40, 0xd41, 0xd40 };
	HvrProfileInput inputs[] = {
		{ .id = (char *)"kbd", .evdev = (char *)"/dev/input/by-id/usb-keyboard-event-kbd" },
		{ .id = (char *)"mouse", .evdev = (char *)"/dev/input/event1" },
		{ .id = (char *)"again", .evdev = (char *)"/dev/input/event0" },
	};
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(inputs); i++)
		g_ptr_array_add(list, &inputs[i]);
	const HvrProfile profile = { .inputs = list };
	assert_true(hvr_input_check_alone(&profile, numbers, 0, NULL));
	assert_true(hvr_input_check_alone(&profile, numbers, 1, NULL));
	assert_false(hvr_input_check_alone(&profile, numbers, 2, &error));
	assert_int_equal(hvr_exit_status(error), 78);
	assert_true(g_str_has_prefix(error->message, "[input again]: '/dev/input/event0' is that "
						     "of [input kbd], too"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused),
					    cmocka_unit_test(test_one_under_two_names) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
