/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a terminal is shown of what a serial port has said before: the last lines, as text alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/session/serial-replay.h"
#include "vfio/fd.h"

static GString *replay(const char *bytes, gsize length)
{
	g_auto(HvrFd) record = memfd_create("record", MFD_CLOEXEC);

	assert_true(hvr_fd_write_all(record, bytes, length));
	return hvr_serial_replay(record);
}

static const struct {
	const char *said, *shown;
} rows[] = {
	{ "", "" },
	{ "lab login: ", "lab login: " },
	{ "one\r\ntwo\nthree", "one\r\ntwo\r\nthree" },
	{ "[\x1b[0;1;32m  OK  \x1b[0m] Reached\r\r\n", "[  OK  ] Reached\r\n" },
	/* a title, a question that the terminal would answer, another screen, a character set */
	{ "\x1b]0;root@lab\x07# \x1b[6n\x1b[c\x1b[?1049h\x1b(Bx", "# x" },
	{ "\x1b]52;c;aGk=\x1b\\y", "y" },
	{ "\x1bP+q544e\x1b\\z", "z" },
	/* cut off by the end of what is there */
	{ "a\x1b[3", "a" },
	{ "a\x1b]0;t", "a" },
	{ "a\x1b", "a\\x1b" },
	/* a string without an end takes no more than its line */
	{ "\x1b]0;t\nb", "\r\nb" },
	/* what is no sequence but would be obeyed */
	{ "a\x9b"
	  "31mb\x07\x08",
	  "a\\x9b31mb\\x07\\x08" },
	{ "\xe2\x80\xaetxt", "\\u202etxt" },
	{ "a\rb", "ab" },
};

static void test_rows(void **state)
{
	for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) shown = replay(rows[i].said, strlen(rows[i].said));
		if (!g_str_equal(shown->str, rows[i].shown)) {
			g_autofree char *came = g_strescape(shown->str, NULL);
			fail_msg("row %u is shown as \"%s\"", i, came);
		}
	}
}

/* Twenty lines, and 4 KiB. */
static void test_bounds(void **state)
{
	g_autoptr(GString) lines = g_string_new(NULL), long_line = g_string_new(NULL);

	for (guint i = 0; i < 100; i++)
		g_string_append_printf(lines, "line %u\n", i);
	g_string_append(lines, "prompt");
	g_autoptr(GString) shown = replay(lines->str, lines->len);
	assert_true(g_str_has_prefix(shown->str, "line 81\r\nline 82\r\n"));
	assert_true(g_str_has_suffix(shown->str, "line 99\r\nprompt"));

	g_string_append(long_line, "gone\n");
	for (guint i = 0; i < 10000; i++)
		g_string_append_c(long_line, 'x');
	g_autoptr(GString) end = replay(long_line->str, long_line->len);
	assert_int_equal(end->len, 4096);
	g_string_append(long_line, "\nlast\n");
	g_autoptr(GString) whole = replay(long_line->str, long_line->len);
	assert_true(g_str_has_suffix(whole->str, "last\r\n"));
	assert_null(strchr(whole->str, 'x'));
}

static void test_none(void **state)
{
	g_autoptr(GString) none = hvr_serial_replay(-1);

	assert_string_equal(none->str, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
