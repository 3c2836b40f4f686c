/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of jobs: every guest with every card and every command, and what is no such list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/guest/matrix.h"
#include "launcher/report/error.h"

/* "NAME: WORD|WORD|..." a line. */
static char *show(const GPtrArray *jobs)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < jobs->len; i++) {
		const HvrMatrixJob *job = g_ptr_array_index(jobs, i);
		g_autofree char *words = g_strjoinv("|", job->argv);
		g_string_append_printf(text, "%s: %s\n", job->name, words);
	}
	return g_string_free(text, FALSE);
}

static void test_product(void **state)
{
	static const char text[] = "[matrix]\noptions = --timeout=60 --wait\n"
				   "[guest a]\nprofile = /etc/a.ini\n"
				   "[guest b]\nset = 'disk.root.file=/images/b 2.img'\n"
				   "[card one]\nset = device.npu.address=0000:02:00.0\n"
				   "[card two]\n"
				   "[command x]\nrun = sh -c 'exit 3'\noptions = --deadline=9\n";
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) jobs = hvr_matrix_parse("m.ini", text, strlen(text), &error);

	assert_null(error);
	g_autofree char *seen = show(jobs);
	assert_string_equal(
		seen,
		"a/one/x: --timeout=60|--wait|--set|device.npu.address=0000:02:00.0|--deadline=9|"
		"/etc/a.ini|--|sh|-c|exit 3\n"
		"a/two/x: --timeout=60|--wait|--deadline=9|/etc/a.ini|--|sh|-c|exit 3\n"
		"b/one/x: --timeout=60|--wait|--set|disk.root.file=/images/b 2.img|--set|"
		"device.npu.address=0000:02:00.0|--deadline=9|b|--|sh|-c|exit 3\n"
		"b/two/x: --timeout=60|--wait|--set|disk.root.file=/images/b 2.img|--deadline=9|b|"
		"--|sh|-c|exit 3\n");
}

static void test_without_cards(void **state)
{
	static const char text[] = "[guest a]\n[command x]\nrun = true\n[command y]\nrun = id\n";
	g_autoptr(GPtrArray) jobs = hvr_matrix_parse("m.ini", text, strlen(text), NULL);

	assert_non_null(jobs);
	g_autofree char *seen = show(jobs);
	assert_string_equal(seen, "a/x: a|--|true\na/y: a|--|id\n");
}

static void test_refusals(void **state)
{
	static const char *const cases[][2] = {
		{ "", "there is no [guest NAME]" },
		{ "[guest a]\n", "there is no [command NAME]" },
		{ "[guest a]\n[command x]\n", "m.ini:2: [command x]: 'run' is missing" },
		{ "[guest a]\n[command x]\nrun =\n", "m.ini:3: [command x] run" },
		{ "[guest a]\n[command x]\nrun = 'a\n", "m.ini:3: [command x] run" },
		{ "[guest a]\nrun = x\n[command x]\nrun = x\n", "m.ini:2: [guest a] run: there is "
								"no such key here" },
		{ "[guest a]\nprofile =\n[command x]\nrun = x\n", "m.ini:2" },
		{ "[matrix]\nset = a.b=c\n[guest a]\n[command x]\nrun = x\n", "m.ini:2" },
		{ "run = x\n", "m.ini:1" },
		{ "[guests]\n", "m.ini:1: [guests]: a matrix has" },
		{ "[guest a]\n[guest a]\n[command x]\nrun = x\n", "m.ini:2" },
		{ "[guest a]\noptions = --timeout 5\n[command x]\nrun = x\n", "'5' is no option" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		const char *text = cases[i][0];
		assert_null(hvr_matrix_parse("m.ini", text, strlen(text), &error));
		assert_non_null(error);
		assert_int_equal(hvr_exit_status(error), 78);
		if (!strstr(error->message, cases[i][1]))
			fail_msg("%s: %s", text, error->message);
	}
}

/* A product is soon more than anybody wanted. */
static void test_too_many(void **state)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < 101; i++)
		g_string_append_printf(text, "[guest g%u]\n[command c%u]\nrun = x\n", i, i);
	assert_null(hvr_matrix_parse("m.ini", text->str, text->len, &error));
	assert_non_null(strstr(error->message, "more than 10000 jobs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_product),
		cmocka_unit_test(test_without_cards),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
