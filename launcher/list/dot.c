/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine for Graphviz: a box for each function, an arrow from each bridge to what is below
 * it, a frame around each IOMMU group.
 */
#include "launcher/list/list.h"

#include "launcher/report/text.h"

/* pci.ids is text of others: quotes and backslashes end no label here. */
static char *escape(const char *name)
{
	g_autofree char *safe = hvr_text_safe(name);
	GString *escaped = g_string_new(NULL);

	for (const char *text = safe; *text; text++) {
		if (*text == '"' || *text == '\\')
			g_string_append_c(escaped, '\\');
		g_string_append_c(escaped, *text);
	}
	return g_string_free(escaped, FALSE);
}

static void append_box(GString *text, const HvrListItem *item, const char *indent)
{
	const HvrPciFunction *function = item->function;
	g_autofree char *name = escape(item->name);
	g_autofree char *driver = NULL;

	if (function->driver)
		driver = escape(function->driver);
	else
		driver = g_strdup("no driver");
	g_string_append_printf(text, "%s\"%s\" [label=\"%s\\n%s\\n%s\"", indent, function->name,
			       function->name, name, driver);
	if (function->quirk)
		g_string_append(text, ", style=bold");
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
	GString *text = g_string_new("digraph pci {\n\trankdir=LR;\n\tnode [shape=box];\n");
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
