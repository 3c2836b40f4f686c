/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report of `test`, held to XML: by GLib's parser, which shares no code with what writes it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/guest/junit.h"
#include "launcher/guest/trial.h"
#include "launcher/profile/read.h"

static HvrJunitCase *make_case(const char *name, HvrJunitVerdict verdict, const char *message,
			       const char *out)
{
	HvrJunitCase *one = g_new0(HvrJunitCase, 1);

	*one = (HvrJunitCase){ .name = g_strdup(name),
			       .verdict = verdict,
			       .took_us = 1234567,
			       .message = g_strdup(message) };
	if (out)
		one->out = g_byte_array_new_take((guint8 *)g_strdup(out), strlen(out));
	return one;
}

/* What the parser saw: "+element name=value ..." for each, and texts. */
static void on_start(GMarkupParseContext *context, const char *element, const char **names,
		     const char **values, gpointer user_data, GError **error)
{
	g_string_append_printf(user_data, "+%s", element);
	for (; *names; names++, values++)
		g_string_append_printf(user_data, " %s=%s", *names, *values);
	g_string_append_c(user_data, '\n');
}

static void on_text(GMarkupParseContext *context, const char *text, gsize length,
		    gpointer user_data, GError **error)
{
	g_autofree char *copy = g_strndup(text, length);

	g_strstrip(copy);
	if (*copy)
		g_string_append_printf(user_data, "'%s'\n", copy);
}

static char *parse(const char *xml)
{
	static const GMarkupParser parser = { .start_element = on_start, .text = on_text };
	GString *seen = g_string_new(NULL);
	GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, seen, NULL);
	g_autoptr(GError) error = NULL;

	g_markup_parse_context_parse(context, xml, -1, &error);
	if (!error)
		g_markup_parse_context_end_parse(context, &error);
	assert_null(error);
	g_markup_parse_context_free(context);
	return g_string_free(seen, FALSE);
}

static char *report(HvrJunitCase *one, HvrJunitCase *two)
{
	g_autoptr(GPtrArray) cases =
		g_ptr_array_new_with_free_func((GDestroyNotify)hvr_junit_case_free);

	g_ptr_array_add(cases, one);
	if (two)
		g_ptr_array_add(cases, two);
	const HvrJunitSuite suite = { .name = "lab", .cases = cases };
	g_autofree char *xml = hvr_junit_format(NULL, &suite, 1);
	return parse(xml);
}

/* Counts, times, and one element for what was not passed. */
static void test_report(void **state)
{
	g_autofree char *seen =
		report(make_case("start", HVR_JUNIT_PASSED, NULL, NULL),
		       make_case("command", HVR_JUNIT_FAILED, "status 3", "hello\n"));

	assert_string_equal(seen, "+testsuite name=lab tests=2 failures=1 errors=0 skipped=0 "
				  "time=2.469\n"
				  "+testcase classname=lab name=start time=1.234\n"
				  "+testcase classname=lab name=command time=1.234\n"
				  "+failure message=status 3\n"
				  "+system-out\n'hello'\n");
}

static void test_verdicts(void **state)
{
	g_autofree char *seen = report(make_case("a", HVR_JUNIT_ERROR, "x", NULL),
				       make_case("b", HVR_JUNIT_SKIPPED, "y", NULL));

	assert_non_null(strstr(seen, "failures=0 errors=1 skipped=1"));
	assert_non_null(strstr(seen, "+error message=x\n"));
	assert_non_null(strstr(seen, "+skipped message=y\n"));
}

/* What a command says may be anything. */
static void test_escaping(void **state)
{
	g_autofree char *seen = report(
		make_case("<&\"'>", HVR_JUNIT_FAILED, "a\n\"b\"\t<c>", "]]>&<\001\xff\033[2Jx"),
		NULL);

	assert_non_null(strstr(seen, "name=<&\"'>"));
	assert_non_null(strstr(seen, "message=a\n\"b\"\t<c>"));
	assert_non_null(strstr(seen, "']]>&<\\x01\\xff\\x1b[2Jx'"));
}

/* "GUESTFILE:HOSTFILE" */
static void test_fetch_words(void **state)
{
	assert_true(hvr_trial_fetch_valid("/tmp/a:b"));
	assert_true(hvr_trial_fetch_valid("/tmp/a:/b:c"));
	assert_false(hvr_trial_fetch_valid("/tmp/a"));
	assert_false(hvr_trial_fetch_valid("/tmp/a:"));
	assert_false(hvr_trial_fetch_valid("a:b"));
	assert_false(hvr_trial_fetch_valid(""));
}

/* A trial's VM writes to no disk, and can be asked. */
static void test_bend(void **state)
{
	static const char text[] = "[vm]\nmemory = 1G\n[disk a]\nfile = /a\nformat = raw\n"
				   "[disk b]\nfile = /b\nformat = raw\nreadonly = yes\n";
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("/x/lab.ini", text, strlen(text), NULL, NULL);

	assert_non_null(profile);
	hvr_trial_bend(profile);
	assert_true(((HvrProfileDisk *)profile->disks->pdata[0])->snapshot);
	assert_false(((HvrProfileDisk *)profile->disks->pdata[1])->snapshot);
	assert_true(profile->guest.agent);
	assert_int_equal(profile->guest.ready, HVR_READY_AGENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),	 cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_escaping), cmocka_unit_test(test_fetch_words),
		cmocka_unit_test(test_bend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
