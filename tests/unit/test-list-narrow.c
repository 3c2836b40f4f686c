/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No line of `list` is longer than the terminal, whatever the host has; what is wide stays a table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fake/layouts.h"
#include "tests/fake/recorded.h"
#include "tests/unit/list-view.h"

#define FOLDER SOURCE_ROOT "/tests/data/hosts"

/* @fs: (transfer full) */
static ListView view_of(FakeSysfs *fs, gboolean captured)
{
	const HvrContext root = { .memlock_max = G_MAXUINT64,
				  .captured = captured,
				  .privileged = TRUE };
	const HvrListWhat what = { .judge = TRUE };

	return list_view(fs, &root, &what);
}

static void assert_fits(const char *name, const char *text, glong width)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++)
		if (g_utf8_strlen(*line, -1) > width)
			fail_msg("%s: longer than %ld: '%s'\n%s", name, width, *line, text);
}

/* A record a card, with what one asks for first; blank lines between them. */
static void test_records(void **state)
{
	g_auto(ListView) view = view_of(fake_layout_century(), FALSE);
	g_autofree char *text = hvr_list_table(view.items, 80);
	static const char first[] =
		"0000:03:01.0  Hailo-8 AI accelerator\n"
		"  passable   no: group 9 also has 0000:03:02.0 hailo and 1 more\n"
		"  in use by  free\n"
		"  driver     hailo\n"
		"  group      9 + 0000:02:00.0 0000:03:02.0 0000:03:03.0\n"
		"  health     ok\n"
		"  reset      flr bus\n"
		"  link       8.0 GT/s x4\n"
		"  power      D0\n"
		"  node       /dev/hailo0 ";

	if (!g_str_has_prefix(text, first))
		fail_msg("%s", text);
	assert_non_null(strstr(text, "\n  path       00:08.0/00.0/01.0\n\n0000:03:02.0  Hailo-8"));
	assert_true(g_str_has_suffix(text, "\n  path       00:08.0/00.0/02.0\n"));
	assert_fits("century", text, 80);
}

/* Just wide enough it is a table; one column less takes from the names, down to twelve characters.
 */
static void test_boundary(void **state)
{
	g_auto(ListView) view = view_of(fake_layout_intel(), FALSE);
	g_autofree char *any = hvr_list_table(view.items, 0);
	g_auto(GStrv) lines = g_strsplit(any, "\n", -1);
	guint last = (guint)strlen("PASSABLE") - (guint)strlen("yes");
	guint width = (guint)MAX(strlen(lines[0]), strlen(lines[1]) + last);
	guint spare = (guint)strlen("Hailo-8 AI accelerator") - 12;

	g_autofree char *full = hvr_list_table(view.items, width);
	g_autofree char *cut = hvr_list_table(view.items, width - 1);
	g_autofree char *least = hvr_list_table(view.items, width - spare);
	g_autofree char *records = hvr_list_table(view.items, width - spare - 1);
	assert_string_equal(full, any);
	assert_true(g_str_has_prefix(cut, "ADDRESS "));
	assert_non_null(strstr(cut, "  Hailo-8 AI accelerato  14 "));
	assert_non_null(strstr(least, "  Hailo-8 AI a  14 "));
	assert_fits("least", least, width - spare);
	assert_true(g_str_has_prefix(records, "0000:02:00.0  Hailo-8 AI accelerator\n  passable"));
}

/* What has no blank to be broken at is broken all the same. */
static void test_long_words(void **state)
{
	g_auto(ListView) view = view_of(fake_layout_switches(), FALSE);
	HvrListItem *item = g_ptr_array_index(view.items, 0);

	g_free(item->name);
	item->name = g_strdup("Überlange-Bezeichnung-ohne-ein-einziges-Leerzeichen-darin");
	for (guint width = 32; width <= 80; width += 7) {
		g_autofree char *text = hvr_list_table(view.items, width);
		assert_fits("switches", text, width);
	}
}

/* Every machine that was recorded. */
static void test_hosts(void **state)
{
	g_autoptr(GDir) folder = g_dir_open(FOLDER, 0, NULL);
	const char *name;
	guint n = 0;

	assert_non_null(folder);
	while ((name = g_dir_read_name(folder))) {
		g_autofree char *path = g_build_filename(FOLDER, name, NULL);
		if (!g_str_has_suffix(name, ".host"))
			continue;
		g_auto(ListView) view = view_of(fake_recorded_host(path), TRUE);
		g_autofree char *text = hvr_list_table(view.items, 80);
		assert_fits(name, text, 80);
		assert_non_null(strstr(text, "\n  passable   "));
		n++;
	}
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_boundary),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
