/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading below a descriptor: byte for byte, bounded, and never outside. */
#include <gio/gio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/fake/fake-sysfs.h"
#include "vfio/tree.h"

static int setup(void **state)
{
	FakeSysfs *fs = fake_sysfs_new();
	g_autofree char *page = g_strnfill(4096, 'x'), *more = g_strnfill(4097, 'x');

	fake_sysfs_put_file(fs, "secret", "outside\n");
	fake_sysfs_put_file(fs, "sys/t/line", "flr bus\n");
	fake_sysfs_put_file(fs, "sys/t/bare", "flr bus");
	fake_sysfs_put_file(fs, "sys/t/empty", "");
	fake_sysfs_put_file(fs, "sys/t/newline", "\n");
	fake_sysfs_put_file(fs, "sys/t/two", "a\nb\n");
	fake_sysfs_put_file(fs, "sys/t/page", page);
	fake_sysfs_put_file(fs, "sys/t/more", more);
	fake_sysfs_put_link(fs, "sys/t/inside", "../t/line");
	fake_sysfs_put_link(fs, "sys/t/outside", "../../secret");
	fake_sysfs_put_link(fs, "sys/t/absolute", "/");
	fake_sysfs_put_link(fs, "sys/t/nowhere", "../bus/pci/drivers/vfio-pci");
	fake_sysfs_put_link(fs, "sys/t/name", "plain");
	fake_sysfs_put_link(fs, "sys/t/loop", "loop");
	*state = fs;
	return 0;
}

static int teardown(void **state)
{
	fake_sysfs_free(*state);
	return 0;
}

/* Attributes come as they are; one page is the most that the kernel gives. */
static void test_read(void **state)
{
	const FakeSysfs *fs = *state;
	static const struct {
		const char *path, *text, *line;
	} cases[] = {
		{ "t/line", "flr bus\n", "flr bus" },
		{ "t/bare", "flr bus", "flr bus" },
		{ "t/empty", "", "" },
		{ "t/newline", "\n", "" },
		{ "t/two", "a\nb\n", "a" },
		{ "t/inside", "flr bus\n", "flr bus" },
	};
	g_autofree char *page = hvr_tree_read(fs->host.sys, "t/page", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = hvr_tree_read(fs->host.sys, cases[i].path, NULL);
		g_autofree char *line = hvr_tree_read_line(fs->host.sys, cases[i].path);

		assert_string_equal(text, cases[i].text);
		assert_string_equal(line, cases[i].line);
	}
	assert_int_equal(strlen(page), 4096);
}

/* What cannot be read has an error that names it and says why. */
static void test_read_fails(void **state)
{
	const FakeSysfs *fs = *state;
	static const struct {
		const char *path;
		int code;
		const char *message;
	} cases[] = {
		{ "t/none", G_IO_ERROR_NOT_FOUND,
		  "cannot read 't/none': No such file or directory" },
		{ "t/more", G_IO_ERROR_INVALID_DATA,
		  "cannot read 't/more': longer than 4096 bytes" },
		{ "t", G_IO_ERROR_IS_DIRECTORY, "cannot read 't': Is a directory" },
		{ "t/loop", G_IO_ERROR_TOO_MANY_LINKS,
		  "cannot read 't/loop': Too many levels of symbolic links" },
		{ "t/outside", G_IO_ERROR_FAILED,
		  "cannot read 't/outside': Invalid cross-device link" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(hvr_tree_read(fs->host.sys, cases[i].path, &error));
		assert_string_equal(error->message, cases[i].message);
		assert_true(g_error_matches(error, G_IO_ERROR, cases[i].code));
		assert_null(hvr_tree_read_line(fs->host.sys, cases[i].path));
	}
}

/* Numbers are whole attributes, without sign, space, unit or overflow. */
static void test_number(void **state)
{
	FakeSysfs *fs = *state;
	static const struct {
		const char *text;
		int base;
		gboolean good;
		guint64 value;
	} cases[] = {
		{ "0x1e60\n", 16, TRUE, 0x1e60 },
		{ "1e60\n", 16, TRUE, 0x1e60 },
		{ "0\n", 10, TRUE, 0 },
		{ "18446744073709551615\n", 10, TRUE, G_MAXUINT64 },
		{ "18446744073709551616\n", 10, FALSE, 0 },
		{ "-1\n", 10, FALSE, 0 },
		{ "+1\n", 10, FALSE, 0 },
		{ " 1\n", 10, FALSE, 0 },
		{ "1 \n", 10, FALSE, 0 },
		{ "0x10\n", 10, FALSE, 0 },
		{ "0x\n", 16, FALSE, 0 },
		{ "0x0x10\n", 16, FALSE, 0 },
		{ "12 kB\n", 10, FALSE, 0 },
		{ "", 10, FALSE, 0 },
		{ "\n", 16, FALSE, 0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint64 value = 7;

		fake_sysfs_put_file(fs, "sys/t/number", cases[i].text);
		if (hvr_tree_read_number(fs->host.sys, "t/number", cases[i].base, &value) !=
		    cases[i].good)
			fail_msg("'%s'", cases[i].text);
		assert_true(value == (cases[i].good ? cases[i].value : 7));
	}
}

/* A link's last component, whether or not it leads anywhere; nothing for what is no link. */
static void test_link_name(void **state)
{
	const FakeSysfs *fs = *state;
	static const struct {
		const char *path, *name;
	} cases[] = {
		{ "t/nowhere", "vfio-pci" }, { "t/name", "plain" }, { "t/outside", "secret" },
		{ "t/line", NULL },	     { "t/none", NULL },    { "../secret", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name = hvr_tree_link_name(fs->host.sys, cases[i].path);

		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
		else
			assert_null(name);
	}
}

/* A folder is listed in order, without itself and its parent; no folder is an empty one. */
static void test_list(void **state)
{
	FakeSysfs *fs = *state;
	static const char *const wanted[] = { "a", "b", "c" };
	g_autoptr(GPtrArray) names = NULL, none = NULL;

	fake_sysfs_put_file(fs, "sys/list/b", "");
	fake_sysfs_put_file(fs, "sys/list/c", "");
	fake_sysfs_put_file(fs, "sys/list/a", "");
	names = hvr_tree_list(fs->host.sys, "list");
	none = hvr_tree_list(fs->host.sys, "t/line");
	assert_int_equal(names->len, G_N_ELEMENTS(wanted));
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
		assert_string_equal(g_ptr_array_index(names, i), wanted[i]);
	assert_int_equal(none->len, 0);
}

/* A FIFO that nobody writes to does not hold us. */
static void test_fifo(void **state)
{
	const FakeSysfs *fs = *state;
	g_autofree char *path = g_strconcat(fs->root, "/sys/t/fifo", NULL);
	g_autofree char *text = NULL;

	assert_int_equal(mkfifo(path, 0600), 0);
	text = hvr_tree_read(fs->host.sys, "t/fifo", NULL);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),   cmocka_unit_test(test_read_fails),
		cmocka_unit_test(test_number), cmocka_unit_test(test_link_name),
		cmocka_unit_test(test_list),   cmocka_unit_test(test_fifo),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
