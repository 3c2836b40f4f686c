/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where QEMU has its firmware: by stand-ins that say what they are told to, and by a real one where
 * it is installed.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "launcher/host/qemu-data.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"
#include "vfio/fd.h"

/* What Debian's QEMU 7.2 prints */
#define DEBIAN "/usr/bin/../share/qemu\n/usr/bin/../share/seabios\n/usr/bin/../lib/ipxe/qemu\n"

typedef struct {
	char *folder, *qemu, *asked;
	HvrUser user;
	HvrContext context;
} Fixture;

static int setup(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->folder = g_dir_make_tmp("hvr-data-XXXXXX", NULL);
	f->qemu = g_build_filename(f->folder, "program", NULL);
	f->asked = g_build_filename(f->folder, "asked", NULL);
	f->user = (HvrUser){ .name = (char *)"me", .uid = geteuid(), .gid = getegid() };
	f->context = (HvrContext){ .runtime_parent = -1 };
	f->context.runtime = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;

	hvr_fd_close(f->context.runtime);
	fake_files_end(f->folder);
	g_free(f->folder);
	g_free(f->qemu);
	g_free(f->asked);
	g_free(f);
	return 0;
}

/* One that notes that it was asked. */
static void make_qemu(Fixture *f, const char *prints)
{
	g_autofree char *script = g_strdup_printf("#!/bin/sh\n[ \"$*\" = \"-L help\" ] || exit 1\n"
						  "echo >> %s\nprintf '%s'\n",
						  f->asked, prints);

	fake_files_write(f->folder, "program", script, 0755);
}

static guint times_asked(const Fixture *f)
{
	g_autofree char *text = NULL;
	gsize length = 0;

	return g_file_get_contents(f->asked, &text, &length, NULL) ? (guint)length : 0;
}

/* [transfer full] */
static char *ask(Fixture *f, gboolean remember)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) folders =
		hvr_qemu_data_folders(&f->context, &f->user, f->qemu, remember, &error);

	if (!folders) {
		assert_true(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE));
		return g_strdup(strrchr(error->message, '/'));
	}
	g_ptr_array_add(folders, NULL);
	return g_strjoinv(" ", (char **)folders->pdata);
}

static void assert_asked(Fixture *f, gboolean remember, const char *wanted, guint times)
{
	g_autofree char *told = ask(f, remember);

	assert_string_equal(told, wanted);
	assert_int_equal(times_asked(f), times);
}

static void remembered(void **state)
{
	static const char three[] = "/usr/bin/../share/qemu /usr/bin/../share/seabios "
				    "/usr/bin/../lib/ipxe/qemu";
	Fixture *f = *state;

	make_qemu(f, DEBIAN);
	assert_asked(f, FALSE, three, 1);
	assert_asked(f, TRUE, three, 2);
	assert_asked(f, TRUE, three, 2);
	assert_asked(f, FALSE, three, 2);
	/* another program of the same name */
	make_qemu(f, "/opt/share\n");
	assert_asked(f, TRUE, "/opt/share", 3);
}

static void no_list(void **state)
{
	static const char *const cases[] = { "", "\n", "share/qemu\n", "/a\nshare\n" };
	static const char wanted[] = "/program does not tell where it has its firmware (-L help)";
	Fixture *f = *state;
	g_autoptr(GString) many = g_string_new(NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		make_qemu(f, cases[i]);
		assert_asked(f, TRUE, wanted, (guint)i + 1);
	}
	for (guint i = 0; i < 17; i++)
		g_string_append(many, "/a\n");
	make_qemu(f, many->str);
	g_autofree char *told = ask(f, TRUE);
	assert_string_equal(told, wanted);
}

static void the_real_one(void **state)
{
	Fixture *f = *state;
	g_autofree char *real = g_find_program_in_path("qemu-system-x86_64");
	g_autoptr(GError) error = NULL;

	if (!real)
		skip();
	g_autoptr(GPtrArray) folders =
		hvr_qemu_data_folders(&f->context, &f->user, real, TRUE, &error);
	if (!folders)
		fail_msg("%s", error->message);
	for (guint i = 0; i < folders->len; i++) {
		g_autofree char *bios = g_build_filename(folders->pdata[i], "bios-256k.bin", NULL);
		if (access(bios, R_OK) == 0)
			return;
	}
	fail_msg("none has the BIOS");
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { ONE(remembered), ONE(no_list), ONE(the_real_one) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
