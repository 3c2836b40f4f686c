/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/new/edit.h"

#include <string.h>

/* The number of the section's header among @lines; -1: there is none. */
static int find_header(char **lines, const char *section)
{
	g_autofree char *header = g_strdup_printf("[%s]", section);

	for (int i = 0; lines[i]; i++)
		if (g_str_equal(lines[i], header))
			return i;
	return -1;
}

static gboolean is_header(const char *line)
{
	return line[0] == '[';
}

/* "key = value" */
static gboolean is_key(const char *line, const char *key)
{
	return g_str_has_prefix(line, key) && g_str_has_prefix(line + strlen(key), " =");
}

/* The line of the section below @header that has @key behind @mark; -1: none has. */
static int find_key(char **lines, int header, const char *mark, const char *key)
{
	for (int i = header + 1; lines[i] && !is_header(lines[i]); i++)
		if (g_str_has_prefix(lines[i], mark) && is_key(lines[i] + strlen(mark), key))
			return i;
	return -1;
}

static void put(GString *text, char **lines)
{
	g_autofree char *all = g_strjoinv("\n", lines);

	g_string_assign(text, all);
}

void hvr_edit_set(GString *text, const char *section, const char *key, const char *value)
{
	g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
	int header = find_header(lines, section);

	g_return_if_fail(header >= 0);
	int at = find_key(lines, header, "", key);
	if (at < 0)
		at = find_key(lines, header, "#", key);
	g_autofree char *line = g_strdup_printf("%s = %s", key, value);
	char **place = &lines[at < 0 ? header : at];
	char *before = *place;
	*place = at < 0 ? g_strconcat(before, "\n", line, NULL) : g_steal_pointer(&line);
	g_free(before);
	put(text, lines);
}

void hvr_edit_comment(GString *text, const char *section, const char *key)
{
	g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
	int header = find_header(lines, section);

	g_return_if_fail(header >= 0);
	for (int i = header; lines[i] && (i == header || !is_header(lines[i])); i++) {
		char *before = lines[i];
		if (before[0] == '\0' || before[0] == '#' || (key && !is_key(before, key)))
			continue;
		lines[i] = g_strconcat("#", before, NULL);
		g_free(before);
	}
	put(text, lines);
}
