/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which keys are the guest's, and which are ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/session/escape.h"

#define E "\x1d"

/* What the guest gets, with each action as its letter in brackets. @step: bytes at once */
static char *feed(const char *keys, gsize step)
{
	static const char *const names[] = {
		"", "<quit>", "<leave>", "<stop>", "<reboot>", "<help>"
	};
	const guint8 *at = (const guint8 *)keys;
	gsize left = strlen(keys);
	GString *got = g_string_new(NULL);
	HvrEscape escape = { 0 };
	guint8 out[64];

	while (left) {
		gsize n = MIN(step, left);
		assert_true(n < sizeof(out));
		HvrEscaped escaped = hvr_escape_take(&escape, at, n, out);
		assert_true(escaped.n_taken > 0 && escaped.n_taken <= n);
		assert_true(escaped.n_out <= escaped.n_taken + HVR_ESCAPE_HELD);
		g_string_append_len(got, (const char *)out, (gssize)escaped.n_out);
		g_string_append(got, names[escaped.action]);
		at += escaped.n_taken;
		left -= escaped.n_taken;
	}
	if (escape.waiting)
		g_string_append(got, escape.answer ? "<is answered>" : "<waits>");
	return g_string_free(got, FALSE);
}

/* The same, however the keys come. */
static void assert_feeds(const char *keys, const char *expected)
{
	for (gsize step = 1; step <= strlen(keys); step++) {
		g_autofree char *got = feed(keys, step);
		assert_string_equal(got, expected);
	}
}

static void test_actions(void **state)
{
	assert_feeds(E "q", "<quit>");
	assert_feeds(E "d", "<leave>");
	assert_feeds(E "s", "<stop>");
	assert_feeds(E "r", "<reboot>");
	assert_feeds(E "?", "<help>");
}

static void test_others(void **state)
{
	assert_feeds("qdsr?\x03\x1a\x1c", "qdsr?\x03\x1a\x1c");
	assert_feeds("a" E, "a<waits>");
	assert_feeds(E E, E);
	assert_feeds(E E "q", E "q");
	assert_feeds(E E E "q", E "<quit>");
	assert_feeds(E "x", E "x");
	assert_feeds(E "Q" E "\r", E "Q" E "\r");
	assert_feeds(E "\xff", E "\xff");
	/* A meaning is that of the key behind, and of one key. */
	assert_feeds(E "xq", E "xq");
	assert_feeds("ls" E "?\r" E "sq" E "rb", "ls<help>\r<stop>q<reboot>b");
}

/* What the terminal answers to a guest's question may come at any time, a piece at a time. */
static void test_answers(void **state)
{
	assert_feeds(E "\x1b[24;8Rd", "\x1b[24;8R<leave>");
	assert_feeds(E "\x1b[?62;4c"
		       "\x1b[0nq",
		     "\x1b[?62;4c\x1b[0n<quit>");
	assert_feeds(E "\x1b]11;rgb:00/dd/qq\x1b\\s", "\x1b]11;rgb:00/dd/qq\x1b\\<stop>");
	assert_feeds(E "\x1b]11;dq\x07?", "\x1b]11;dq\x07<help>");
	assert_feeds(E "\x1bP1+rq\x1b\\"
		       "d",
		     "\x1bP1+rq\x1b\\<leave>");
	assert_feeds(E "\x1b[A" E, "\x1b[A" E);
	assert_feeds(E "\x1b[2", "\x1b[2<is answered>");
	/* Escape by itself is a key without a meaning. */
	assert_feeds(E "\x1b"
		       "dq",
		     E "\x1b"
		       "dq");
	assert_feeds(E "\x1b" E "d", E "\x1b<leave>");
	assert_feeds(E "\x1b", "<is answered>");
	assert_feeds("\x1b[24;8Rd", "\x1b[24;8Rd");
}

/* A NUL is a key as any other (Ctrl-@). */
static void test_nul(void **state)
{
	static const guint8 keys[] = { HVR_ESCAPE_KEY, '\0', 'a' };
	HvrEscape escape = { 0 };
	guint8 out[sizeof(keys) + HVR_ESCAPE_HELD];
	HvrEscaped escaped = hvr_escape_take(&escape, keys, sizeof(keys), out);

	assert_int_equal(escaped.n_taken, sizeof(keys));
	assert_int_equal(escaped.n_out, sizeof(keys));
	assert_memory_equal(out, keys, sizeof(keys));
	assert_int_equal(escaped.action, HVR_ESCAPE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
