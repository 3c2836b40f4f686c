/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel modules by this machine's own modprobe, of names that no kernel has: nothing is loaded. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/fake/fake-files.h"
#include "vfio/error.h"
#include "vfio/module.h"

#define NAME	 "hvr_of_no_kernel"
#define MODPROBE "proc/sys/kernel/modprobe"

typedef struct {
	char *folder;
	HvrHost host;
} Fixture;

/* modprobe-options-of-the-caller: their configuration has a command for the module, which root
 * would run. */
static void test_modprobe_options_of_the_caller(void **state)
{
	const Fixture *f = *state;
	g_autofree char *options = g_strconcat("-C ", f->folder, NULL);
	g_autofree char *install =
		g_strdup_printf("install " NAME " /bin/touch %s/mark\n", f->folder);
	g_autoptr(GError) load = NULL, find = NULL;

	fake_files_write(f->folder, "evil.conf", install, 0644);
	g_setenv("MODPROBE_OPTIONS", options, TRUE);
	gboolean loaded = hvr_module_load(&f->host, NAME, &load);
	g_autofree char *found = hvr_module_find(&f->host, NAME, &find);
	g_unsetenv("MODPROBE_OPTIONS");
	assert_false(fake_files_exist(f->folder, "mark"));
	assert_false(loaded);
	assert_null(found);
	assert_true(g_error_matches(load, HVR_VFIO_ERROR, HVR_VFIO_ERROR_KERNEL));
	assert_true(g_error_matches(find, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_FOUND));
}

/* What modprobe itself starts is not of the caller's PATH, nor does it learn their secrets. */
static void test_environment(void **state)
{
	const Fixture *f = *state;
	g_autofree char *named = g_strconcat(f->folder, "/modprobe\n", NULL);
	g_autofree char *script =
		g_strdup_printf("#!/bin/sh\n/usr/bin/env > '%s/mark'\n", f->folder);
	g_autofree char *path = g_strdup(g_getenv("PATH"));

	fake_files_write(f->folder, "modprobe", script, 0755);
	fake_files_rewrite(f->folder, MODPROBE, named);
	g_setenv("AWS_SECRET_ACCESS_KEY", "1", TRUE);
	g_setenv("PATH", f->folder, TRUE);
	gboolean loaded = hvr_module_load(&f->host, NAME, NULL);
	g_setenv("PATH", path, TRUE);
	g_unsetenv("AWS_SECRET_ACCESS_KEY");
	assert_true(loaded);
	g_autofree char *text = fake_files_read(f->folder, "mark");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	const char *const *seen = (const char *const *)lines;
	assert_true(g_strv_contains(seen, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"));
	assert_true(g_strv_contains(seen, "LANG=C"));
	assert_null(strstr(text, "AWS_SECRET_ACCESS_KEY"));
}

/* What modprobe.d gives it is known before it is loaded. The words are kmod's: "insmod PATH
 * OPTIONS", "builtin NAME", with a blank behind a module without options. */
static void test_options(void **state)
{
	static const struct {
		const char *said, *options;
	} cases[] = {
		{ "insmod /lib/vfio.ko \ninsmod /lib/" NAME ".ko allow_unsafe_interrupts=1 x=2\n",
		  "allow_unsafe_interrupts=1 x=2" },
		{ "insmod /lib/" NAME ".ko \n", "" },
		{ "builtin " NAME "\n", "" },
		{ "", NULL }, /* blacklisted */
	};
	const Fixture *f = *state;
	g_autofree char *named = g_strconcat(f->folder, "/modprobe\n", NULL);

	fake_files_rewrite(f->folder, MODPROBE, named);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *script =
			g_strdup_printf("#!/bin/sh\nprintf '%s'\n", cases[i].said);
		fake_files_write(f->folder, "modprobe", script, 0755);
		g_autofree char *options = hvr_module_find(&f->host, NAME, NULL);
		if (g_strcmp0(options, cases[i].options) != 0)
			fail_msg("'%s': '%s'", cases[i].said, options);
	}
}

static int set_up(void **state)
{
	Fixture *f = g_new0(Fixture, 1);

	f->folder = g_dir_make_tmp("hvr-module-XXXXXX", NULL);
	g_autofree char *proc = g_build_filename(f->folder, "proc", NULL);
	fake_files_write(f->folder, MODPROBE, "/sbin/modprobe\n", 0644);
	f->host.proc = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	Fixture *f = *state;

	close(f->host.proc);
	fake_files_end(f->folder);
	g_free(f->folder);
	g_free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_modprobe_options_of_the_caller),
		TEST(test_environment),
		TEST(test_options),
	};

	if (access("/sbin/modprobe", X_OK) < 0 && !getenv("HVR_TESTS_MUST_RUN"))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
