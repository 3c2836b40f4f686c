/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which name a mistyped word is taken for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

static const char *const keys[] = { "name", "memory", "cpus", "accel", "cpu", "machine", NULL };

static const struct {
	const char *word;
	const char *nearest;
} cases[] = {
	{ "memory", "memory" },	 /* itself */
	{ "memry", "memory" },	 /* a letter left out */
	{ "memmory", "memory" }, /* one too many */
	{ "nemory", "memory" },	 /* a wrong one */
	{ "mmeory", "memory" },	 /* two swapped */
	{ "memroyy", "memory" }, /* two mistakes in seven */
	{ "mmroyy", NULL },	 /* three */
	{ "cpuz", "cpus" },	 /* as near as "cpu": the first wins */
	{ "cp", "cpu" },	 /* short words may have one mistake */
	{ "nme", "name" },	 /* */
	{ "xy", NULL },		 /* */
	{ "", NULL },		 /* */
	{ "memory-of-the-guest", NULL },
	{ "mach", "machine" }, /* not written to its end */
	{ "m", NULL },
	{ "c", NULL },
};

/* One mistake in three letters is forgiven, more is not. */
static void test_mistakes(void **state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *nearest = hvr_nearest(cases[i].word, keys);

		if (g_strcmp0(nearest, cases[i].nearest) != 0)
			fail_msg("\"%s\" is taken for \"%s\"", cases[i].word, nearest);
	}
}

/* Words and names beyond every bound have no neighbour, and cost nothing. */
static void test_long(void **state)
{
	g_autofree char *lengthy = g_strnfill(100000, 'm');
	const char *const names[] = { lengthy, "mm", NULL };

	assert_null(hvr_nearest(lengthy, names));
	assert_string_equal(hvr_nearest("m", names), "mm");
}

/* Without names there is none. */
static void test_none(void **state)
{
	const char *const names[] = { NULL };

	assert_null(hvr_nearest("memory", names));
}

/* As a hint it comes in front of others, and is none where nothing is near. */
static void test_hint(void **state)
{
	g_autoptr(GError) near = g_error_new_literal(1, 1, "no key 'memry'");
	g_autoptr(GError) far = g_error_new_literal(1, 1, "no key 'xy'");

	hvr_nearest_hint(&near, "memry", keys);
	hvr_nearest_hint(&far, "xy", keys);
	hvr_error_hint(&near, "see the manual");
	hvr_error_hint(&far, "see the manual");
	assert_string_equal(near->message, "no key 'memry'\ndid you mean 'memory'?");
	assert_string_equal(far->message, "no key 'xy'\nsee the manual");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
