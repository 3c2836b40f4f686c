/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which QEMU is taken where RHEL has it: in a folder that is in nobody's PATH. The folder is this
 * process's own, and this machine's QEMU is hidden from it.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/parts/binary.h"
#include "launcher/process/program.h"
#include "launcher/profile/read.h"
#include "launcher/qemu/start.h"
#include "tests/fake/fake-files.h"

#define SKIP 77
#define RHEL "/usr/libexec/qemu-kvm"

static char *find(const char *more, gboolean privileged)
{
	g_autofree char *text = g_strconcat("[vm]\nmemory = 1G\n", more, NULL);
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);

	assert_non_null(profile);
	return hvr_binary_find(profile, privileged);
}

static void assert_found(const char *more, gboolean privileged, const char *wanted)
{
	g_autofree char *path = find(more, privileged);

	if (wanted)
		assert_string_equal(path, wanted);
	else
		assert_null(path);
}

/* Root by the system's folders, a plain user by PATH, which has it as little. */
static void test_rhel(void **state)
{
	for (int privileged = 0; privileged <= 1; privileged++) {
		assert_found("", privileged, RHEL);
		assert_found("[qemu]\nbinary = qemu-kvm\n", privileged, RHEL);
		assert_found("[qemu]\nbinary = " RHEL "\n", privileged, RHEL);
		/* whoever names another one is not given this one */
		assert_found("[qemu]\nbinary = qemu-mine\n", privileged, NULL);
		assert_found("[qemu]\nbinary = /opt/qemu-system-x86_64\n", privileged, NULL);
	}
}

/* Where there is one by the usual name, that is it; but root does not look into PATH. */
static void test_usual_name_first(void **state)
{
	const char *folder = *state;
	g_autofree char *own = g_build_filename(folder, "qemu-system-x86_64", NULL);

	fake_files_write(folder, "qemu-system-x86_64", "#!/bin/sh\n", 0755);
	assert_found("", FALSE, own);
	assert_found("", TRUE, RHEL);
	assert_int_equal(unlink(own), 0);
}

/* A shell would not find it by its name; of another host's tree it is not known where it is. */
static void test_print(void **state)
{
	static const char text[] = "[vm]\nmemory = 64M\naccel = tcg\n";
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("lab.ini", text, strlen(text), NULL, NULL);
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	const HvrPlan plan = { .cards = none };
	HvrUser user = { .uid = 0 };
	const HvrParts parts = { .user = &user };
	HvrContext context = { .host = { .sys = -1, .dev = -1, .proc = -1, .run = -1 },
			       .runtime_path = "/run/lab",
			       .privileged = TRUE };
	g_autoptr(GPtrArray) here = hvr_start_argv(&context, profile, &parts, &plan);

	assert_string_equal(here->pdata[0], RHEL);
	context.captured = TRUE;
	g_autoptr(GPtrArray) elsewhere = hvr_start_argv(&context, profile, &parts, &plan);
	assert_string_equal(elsewhere->pdata[0], "qemu-system-x86_64");
}

/* Of a program that cannot be executed nothing is to be had. */
static void test_not_executable(void **state)
{
	assert_int_equal(chmod(RHEL, 0644), 0);
	assert_found("", FALSE, NULL);
	assert_found("", TRUE, NULL);
	assert_int_equal(chmod(RHEL, 0755), 0);
}

/* /dev/null cannot be executed. */
static gboolean hide_qemu(void)
{
	for (;;) {
		g_autofree char *path = hvr_program_find("qemu-system-x86_64", TRUE);
		if (!path)
			return TRUE;
		if (mount("/dev/null", path, NULL, MS_BIND, NULL) < 0)
			return FALSE;
	}
}

static gboolean make_rhel(const char *folder)
{
	if (geteuid() != 0 || access("/usr/libexec", F_OK) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/usr/libexec", "tmpfs", 0, NULL) < 0 || !hide_qemu())
		return FALSE;
	fake_files_write("/usr/libexec", "qemu-kvm", "#!/bin/sh\n", 0755);
	return g_setenv("PATH", folder, TRUE);
}

int main(void)
{
	g_autofree char *folder = g_dir_make_tmp("hvr-binary-XXXXXX", NULL);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_rhel, folder),
		cmocka_unit_test_prestate(test_usual_name_first, folder),
		cmocka_unit_test(test_print),
		cmocka_unit_test_prestate(test_not_executable, folder),
	};

	if (!make_rhel(folder)) {
		print_message("skipped: it takes root\n");
		return getenv("HVR_TESTS_MUST_RUN") ? 1 : SKIP;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fake_files_end(folder);
	return failed;
}
