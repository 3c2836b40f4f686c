/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine for Graphviz: a box for each function, an arrow from each bridge to what is below
 * it, a frame around each IOMMU group.
 */
#include "launcher/list/list.h"

#include "launcher/report/text.h"

/* Pictures are read from afar: no line of a label is longer. */
#define LINE_MAX_CHARS 22

/* @text: harmless. [transfer full] */
static char *cut(const char *text)
{
	if (g_utf8_strlen(text, -1) <= LINE_MAX_CHARS)
		return g_strdup(text);
	g_autofree char *begin = g_utf8_substring(text, 0, LINE_MAX_CHARS - 3);
	return g_strconcat(g_strchomp(begin), "...", NULL);
}

/* A line of a label. pci.ids is text of others: quotes and backslashes end no label here.
 * [transfer full] */
static char *label_line(const char *theirs)
{
	g_autofree char *safe = hvr_text_safe(theirs);
	g_autofree char *line = cut(safe);
	GString *escaped = g_string_new(NULL);

	for (const char *text = line; *text; text++) {
		if (*text == '"' || *text == '\\')
			g_string_append_c(escaped, '\\');
		g_string_append_c(escaped, *text);
	}
	return g_string_free(escaped, FALSE);
}

/* What keeps a card from a VM is red, and says so where there is no colour. */
static void append_box(GString *text, const HvrListItem *item, const char *indent)
{
	const HvrPciFunction *function = item->function;
	g_autofree char *name = label_line(item->short_name ? item->short_name : item->name);
	g_autofree char *driver = label_line(function->driver ? function->driver : "no driver");

	g_string_append_printf(text, "%s\"%s\" [label=\"%s\\n%s\\n%s", indent, function->name,
			       function->name, name, driver);
	if (item->blocks)
		g_string_append_printf(text, "\\nblocks %s", item->blocks->name);
	if (item->judged && item->passable.kind == HVR_PASSABLE_NO)
		g_string_append(text, "\\nnot passable");
	g_string_append_c(text, '"');
	if (function->quirk)
		g_string_append(text, ", style=bold");
	if (hvr_list_is_culprit(item))
		g_string_append(text, ", color=red, fontcolor=red, penwidth=2");
	g_string_append(text, "];\n");
}

static void append_group(GString *text, GHashTable *by_function, const HvrListItem *first)
{
	g_string_append_printf(text, "\tsubgraph cluster_%d {\n\t\tlabel=\"IOMMU group %d\";\n",
			       first->function->group, first->function->group);
	for (guint i = 0; i < first->group->len; i++) {
		const HvrListItem *item =
			g_hash_table_lookup(by_function, g_ptr_array_index(first->group, i));
		if (item)
			append_box(text, item, "\t\t");
	}
	g_string_append(text, "\t}\n");
}

static void append_boxes(GString *text, const GPtrArray *items)
{
	g_autoptr(GHashTable) by_function = g_hash_table_new(NULL, NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < items->len; i++) {
		HvrListItem *item = g_ptr_array_index(items, i);
		g_hash_table_insert(by_function, (gpointer)item->function, item);
	}
	for (guint i = 0; i < items->len; i++) {
		const HvrListItem *item = g_ptr_array_index(items, i);
		int group = item->function->group;
		if (group < 0)
			append_box(text, item, "\t");
		else if (g_hash_table_add(seen, GINT_TO_POINTER(group)))
			append_group(text, by_function, item);
	}
}

char *hvr_list_dot(const GPtrArray *items)
{
	/* From left to right: of many functions on one bus the picture grows down, as pages do. */
	GString *text =
		g_string_new("digraph pci {\n\trankdir=LR;\n\tnodesep=0.1;\n"
			     "\tranksep=0.2;\n\tfontsize=10;\n\tnode [shape=box, fontsize=10];\n");
	g_autoptr(GHashTable) by_path = hvr_list_by_path(items);

	append_boxes(text, items);
	for (guint i = 0; i < items->len; i++) {
		const HvrListItem *item = g_ptr_array_index(items, i);
		const HvrListItem *parent = hvr_list_parent(by_path, item);
		if (parent)
			g_string_append_printf(text, "\t\"%s\" -> \"%s\";\n",
					       parent->function->name, item->function->name);
	}
	g_string_append(text, "}\n");
	return g_string_free(text, FALSE);
}
