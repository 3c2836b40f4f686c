/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words that say how a guest's command is run: what no guest could make sense of, and what
 * cannot be read here, is known before a guest is asked.
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

#include "launcher/guest/options.h"
#include "launcher/report/error.h"
#include "tests/fake/fake-files.h"

typedef struct {
	const char *env, *put, *cwd, *user;
	const char *problem; /* NULL: there is none */
} Case;

static const Case cases[] = {
	{ NULL, NULL, NULL, NULL, NULL },
	{ "A=b", "x:/y", "/tmp", "nobody", NULL },
	{ "_a1=", NULL, NULL, NULL, NULL },
	{ "A=b=c d\n", NULL, NULL, NULL, NULL },
	{ NULL, "a:b:/c", NULL, NULL, NULL },
	{ "A", NULL, NULL, NULL, "--env takes NAME=VALUE, not 'A'" },
	{ "=b", NULL, NULL, NULL, "--env takes" },
	{ "1A=b", NULL, NULL, NULL, "--env takes" },
	{ "A-B=b", NULL, NULL, NULL, "--env takes" },
	{ "A;B=b", NULL, NULL, NULL, "--env takes" },
	{ "\303\244=b", NULL, NULL, NULL, "--env takes" },
	{ "hvr_name=b", NULL, NULL, NULL, "--env takes" },
	{ "A=\377", NULL, NULL, NULL, "must be UTF-8" },
	{ NULL, "x", NULL, NULL, "--put takes HOSTFILE:/GUESTFILE, not 'x'" },
	{ NULL, "x:y", NULL, NULL, "--put takes" },
	{ NULL, ":/y", NULL, NULL, "--put takes" },
	{ NULL, "x:/\377", NULL, NULL, "must be UTF-8" },
	{ NULL, NULL, "", NULL, "--cwd takes" },
	{ NULL, NULL, "tmp", NULL, "--cwd takes a folder's whole path, not 'tmp'" },
	{ NULL, NULL, "/\377", NULL, "must be UTF-8" },
	{ NULL, NULL, NULL, "", "--user takes" },
	{ NULL, NULL, NULL, "-x", "--user takes a user's name, not '-x'" },
	{ NULL, NULL, NULL, "\377", "must be UTF-8" },
};

static void test_check(void **state)
{
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *one = &cases[i];
		char *env[] = { (char *)one->env, NULL }, *put[] = { (char *)one->put, NULL };
		const HvrGuestOptions options = {
			.env = env, .put = put, .cwd = (char *)one->cwd, .user = (char *)one->user
		};
		g_autoptr(GError) error = NULL;
		gboolean well = hvr_guest_options_check(&options, "exec", &error);
		assert_int_equal(well, one->problem == NULL);
		if (well)
			continue;
		assert_int_equal(hvr_exit_status(error), 64);
		if (!g_str_has_prefix(error->message, "exec: ") ||
		    !strstr(error->message, one->problem))
			fail_msg("%u: %s", i, error->message);
	}
}

static void test_open(void **state)
{
	g_autofree char *folder = g_dir_make_tmp("hvr-options-XXXXXX", NULL);
	g_autofree char *a = g_build_filename(folder, "a", NULL);
	g_autofree char *script = g_build_filename(folder, "script", NULL);
	g_autofree char *word = g_strconcat(a, ":/b:/c", NULL);
	char *put[] = { word, NULL };
	HvrGuestOptions options = { .put = put, .script = script };
	g_autoptr(GError) error = NULL;

	fake_files_write(folder, "a", "one", 0644);
	fake_files_write(folder, "script", "two", 0600);
	assert_int_equal(chmod(a, 04754), 0);
	g_autoptr(GPtrArray) puts = hvr_guest_options_open(&options, &error);
	assert_null(error);
	assert_int_equal(puts->len, 2);
	const HvrGuestPut *first = puts->pdata[0], *last = puts->pdata[1];
	assert_string_equal(first->from, a);
	assert_string_equal(first->to, "/b:/c");
	assert_int_equal(first->mode, 0754);
	assert_true(first->fd >= 0 && last->fd >= 0);
	assert_null(last->to);
	assert_null(hvr_guest_options_open(&(HvrGuestOptions){ .script = folder }, &error));
	assert_non_null(strstr(error->message, "--script"));
	assert_int_equal(hvr_exit_status(error), 64);
	fake_files_end(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_open),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
