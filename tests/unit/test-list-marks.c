/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree and the picture show what keeps a card from a VM, and are read at a glance. */
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
#define RED    "\033[1;31m"
#define RESET  "\033[0m"

/* @fs: (transfer full) */
static ListView view_of(FakeSysfs *fs, HvrListWhat what)
{
	const HvrContext root = { .memlock_max = G_MAXUINT64, .privileged = TRUE };

	return list_view(fs, &root, &what);
}

static const HvrListWhat around = { .surround = TRUE, .judge = TRUE };

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

/* Who is in a card's way is red where there are colours, and says so where there are none; the card
 * says why it cannot be had, and a bridge that is in nobody's way has no mark. */
static void test_tree(void **state)
{
	g_auto(ListView) view = view_of(fake_layout_century(), around);
	g_autofree char *plain = hvr_list_tree(view.items, HVR_LIST_ASCII, 0);
	g_autofree char *coloured =
		hvr_list_tree(view.items, HVR_LIST_UNICODE | HVR_LIST_COLOUR, 0);
	g_auto(GStrv) lines = g_strsplit(coloured, "\n", -1);

	assert_null(strchr(plain, '\033'));
	assert_has(plain, ", driver e1000, group 9, blocks 0000:03:01.0\n");
	assert_has(plain,
		   "\n      |  not passable: group 9 also has 0000:03:02.0 hailo and 1 more\n");
	assert_has(coloured, "─ " RED "0000:03:03.0 ");
	assert_has(coloured, ", driver e1000, group 9, blocks 0000:03:01.0" RESET "\n");
	for (char **line = lines; *line; line++)
		assert_int_equal(strstr(*line, "blocks ") != NULL, strchr(*line, '\033') != NULL);
}

/* A card that is well is passable; one that has itself in its way is marked. */
static void test_cards(void **state)
{
	g_auto(ListView) well = view_of(fake_layout_intel(), around);
	g_auto(ListView) alone = view_of(fake_layout_no_iommu(), around);
	g_autofree char *first = hvr_list_tree(well.items, HVR_LIST_COLOUR, 0);
	g_autofree char *second = hvr_list_tree(alone.items, HVR_LIST_COLOUR, 0);
	g_autofree char *dot = hvr_list_dot(alone.items);

	assert_has(first, ", group 14, free, passable\n");
	assert_null(strchr(first, '\033'));
	assert_has(second, RED "0000:02:00.0 Hailo-8");
	assert_has(second, "not passable: no IOMMU is in use\n");
	assert_has(dot, "\\nnot passable\", style=bold, color=red, fontcolor=red, penwidth=2];");
}

/* The same in the picture: the network card is red, and the bridge is not. */
static void test_dot(void **state)
{
	g_auto(ListView) view = view_of(fake_layout_century(), around);
	g_autofree char *text = hvr_list_dot(view.items);

	assert_has(text, "\trankdir=LR;\n");
	assert_has(text,
		   "\\ne1000\\nblocks 0000:03:01.0\", color=red, fontcolor=red, penwidth=2];");
	assert_has(text, "\"0000:02:00.0\" [label=\"0000:02:00.0\\nPCI bridge\\n");
	assert_null(strstr(text, "PCI bridge\\nno driver\", color"));
}

/* Each line between quotes of a label. */
static void assert_short_labels(const char *host, const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "label=\"", -1);

	for (char **part = parts + 1; *parts && *part; part++) {
		g_autofree char *label = g_strndup(*part, strcspn(*part, "\""));
		g_auto(GStrv) lines = g_strsplit(label, "\\n", -1);
		for (char **line = lines; *line; line++)
			if (g_utf8_strlen(*line, -1) > 22)
				fail_msg("%s: '%s'", host, *line);
	}
}

static void assert_narrow(const char *host, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++)
		if (g_utf8_strlen(*line, -1) > 80)
			fail_msg("%s: '%s'", host, *line);
}

/* Of every machine that was recorded, with all that it has. */
static void test_hosts(void **state)
{
	g_autoptr(GDir) folder = g_dir_open(FOLDER, 0, NULL);
	const HvrListWhat all = { .all = TRUE, .surround = TRUE, .judge = TRUE };
	const char *name;
	guint n = 0;

	assert_non_null(folder);
	while ((name = g_dir_read_name(folder))) {
		g_autofree char *path = g_build_filename(FOLDER, name, NULL);
		if (!g_str_has_suffix(name, ".host"))
			continue;
		g_auto(ListView) view = view_of(fake_recorded_host(path), all);
		g_autofree char *tree = hvr_list_tree(view.items, HVR_LIST_UNICODE, 80);
		g_autofree char *dot = hvr_list_dot(view.items);
		assert_narrow(name, tree);
		assert_short_labels(name, dot);
		n++;
	}
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_cards),
		cmocka_unit_test(test_dot),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
