/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever goes wrong here is a fault of the text or of the test, and ends it. */
#include "tests/fake/recorded.h"

#include <string.h>

#define PCI_WORDS  8
#define NODE_WORDS 7

typedef struct {
	FakeSysfs *fs;
	char *last_file; /* the file that the line before was of */
} Loader;

static const char *or_null(const char *word)
{
	return g_str_equal(word, "-") ? NULL : word;
}

/* @words: "file", PATH, TEXT */
static void load_file(Loader *loader, char **words)
{
	const char *text = words[2] ? words[2] : "";
	g_autofree char *before = g_strcmp0(loader->last_file, words[1]) == 0
					  ? fake_sysfs_text(loader->fs, words[1])
					  : NULL;
	g_autofree char *all =
		g_strconcat(before ? before : "", before ? "\n" : "", text, "\n", NULL);

	fake_sysfs_put_file(loader->fs, words[1], all);
	g_free(loader->last_file);
	loader->last_file = g_strdup(words[1]);
}

static guint32 hex(const char *text)
{
	return (guint32)g_ascii_strtoull(text, NULL, 16);
}

/* @words: as in the header */
static void load_function(FakeSysfs *fs, char **words)
{
	g_auto(GStrv) id = g_strsplit(words[3], ":", 2);
	g_autofree char *resets = g_strdup(or_null(words[7]));
	gboolean bridge = g_str_has_prefix(words[4], "0604");
	FakeFunction function = { .parent = or_null(words[2]),
				  .vendor = (guint16)hex(id[0]),
				  .device = (guint16)hex(id[1]),
				  .class_code = hex(words[4]),
				  .group = FAKE_NO_GROUP,
				  .driver = or_null(words[6]),
				  .reset_method = resets };

	if (or_null(words[5]))
		function.group = (int)g_ascii_strtoll(words[5], NULL, 10);
	if (resets)
		g_strdelimit(resets, ",", ' ');
	if (!bridge) {
		fake_sysfs_add_function(fs, words[1], &function);
		return;
	}
	if (!function.driver)
		function.driver = "";
	fake_sysfs_add_bridge(fs, words[1], &function);
}

static void load_line(Loader *loader, const char *line)
{
	gboolean file = g_str_has_prefix(line, "file ");
	g_auto(GStrv) words = g_strsplit(line, " ", file ? 3 : -1);
	guint n = g_strv_length(words);

	if (file && n >= 2) {
		load_file(loader, words);
	} else if (n == 2 && g_str_equal(words[0], "unit")) {
		g_autofree char *path = g_strconcat("sys/class/iommu/", words[1], NULL);
		fake_sysfs_put_link(loader->fs, path, "../../devices/virtual/iommu/unit");
	} else if (n == 2 && g_str_equal(words[0], "table")) {
		g_autofree char *path = g_strconcat("sys/firmware/acpi/tables/", words[1], NULL);
		fake_sysfs_put_file(loader->fs, path, "");
	} else if (n == PCI_WORDS && g_str_equal(words[0], "pci")) {
		load_function(loader->fs, words);
	} else if (n == 2 && g_str_equal(words[0], "dead")) {
		fake_sysfs_set_dead(loader->fs, words[1]);
	} else if (n == NODE_WORDS && g_str_equal(words[0], "node")) {
		fake_sysfs_add_node(loader->fs, words[1], words[2], words[3], words[4],
				    (guint)g_ascii_strtoull(words[5], NULL, 10),
				    (guint)g_ascii_strtoull(words[6], NULL, 10));
	} else {
		g_error("recorded machine: '%s' makes no sense", line);
	}
}

FakeSysfs *fake_recorded_host(const char *path)
{
	Loader loader = { .fs = fake_sysfs_new() };
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	if (!g_file_get_contents(path, &text, NULL, &error))
		g_error("recorded machine: %s", error->message);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	fake_sysfs_remove_file(loader.fs, "sys/class/iommu/dmar0");
	for (guint i = 0; lines[i]; i++)
		if (*lines[i] && *lines[i] != '#')
			load_line(&loader, lines[i]);
	g_free(loader.last_file);
	return loader.fs;
}
