/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same machine as a tree: root buses, the bridges and switches on them, the functions below.
 * A stable path is the way through it, so the path without its last part is what is above.
 */
#include "launcher/list/list.h"

#include <string.h>

#include "launcher/report/text.h"

typedef struct {
	const char *mark;   /* in front of an item */
	const char *indent; /* in front of all that is below it */
} Style;

/* Of the last item below something, and of the others. */
static const Style lines[] = {
	[FALSE] = { .mark = "├─ ", .indent = "│  " }, [TRUE] = { .mark = "└─ ", .indent = "   " }
};
static const Style ascii[] = {
	[FALSE] = { .mark = "|- ", .indent = "|  " }, [TRUE] = { .mark = "`- ", .indent = "   " }
};

typedef struct {
	GHashTable *children; /* HvrListItem, or NULL for the root buses -> GPtrArray of items */
	const Style *styles;  /* [is it the last one?] */
	GString *text;
} Tree;

GHashTable *hvr_list_by_path(const GPtrArray *items)
{
	GHashTable *by_path = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < items->len; i++) {
		HvrListItem *item = g_ptr_array_index(items, i);
		if (item->function->path)
			g_hash_table_insert(by_path, item->function->path, item);
	}
	return by_path;
}

const HvrListItem *hvr_list_parent(GHashTable *by_path, const HvrListItem *item)
{
	const char *path = item->function->path;
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!slash)
		return NULL;
	g_autofree char *above = g_strndup(path, (gsize)(slash - path));
	return g_hash_table_lookup(by_path, above);
}

static GPtrArray *children_of(const Tree *tree, const HvrListItem *parent)
{
	GPtrArray *children = g_hash_table_lookup(tree->children, parent);

	if (!children) {
		children = g_ptr_array_new();
		g_hash_table_insert(tree->children, (gpointer)parent, children);
	}
	return children;
}

static void append_item(GString *out, const HvrListItem *item)
{
	const HvrPciFunction *function = item->function;
	g_autoptr(GString) text = g_string_new(NULL);

	g_string_append_printf(text, "%s %s [%04x:%04x]", function->name, item->name,
			       function->vendor, function->device);
	if (function->driver)
		g_string_append_printf(text, ", driver %s", function->driver);
	if (function->group >= 0)
		g_string_append_printf(text, ", group %d", function->group);
	if (item->detailed && function->quirk) {
		g_autofree char *use = hvr_occupancy_describe(&item->occupancy);
		g_string_append_printf(text, ", %s", use);
	}
	hvr_text_append(out, text->str, text->len, HVR_TEXT_ONE_LINE);
	g_string_append_c(out, '\n');
}

/* Buses are at most 256 deep, as their numbers are. */
static void append_below(const Tree *tree, const HvrListItem *parent, const char *indent)
{
	const GPtrArray *children = g_hash_table_lookup(tree->children, parent);

	for (guint i = 0; children && i < children->len; i++) {
		const HvrListItem *item = g_ptr_array_index(children, i);
		const Style *style = &tree->styles[i + 1 == children->len];
		g_autofree char *deeper = g_strconcat(indent, style->indent, NULL);
		g_string_append(tree->text, indent);
		g_string_append(tree->text, style->mark);
		append_item(tree->text, item);
		append_below(tree, item, deeper);
	}
}

/* The functions on one root bus, from @first on. Returns: how many they are */
static guint append_root_bus(const Tree *tree, const GPtrArray *top, guint first)
{
	const HvrListItem *item = g_ptr_array_index(top, first);
	const HvrPciAddress *bus = &item->function->address;
	guint n = first;

	for (; n < top->len; n++) {
		const HvrListItem *other = g_ptr_array_index(top, n);
		if (other->function->address.domain != bus->domain ||
		    other->function->address.bus != bus->bus)
			break;
	}
	g_string_append_printf(tree->text, "root bus %04x:%02x\n", bus->domain, bus->bus);
	for (guint i = first; i < n; i++) {
		const Style *style = &tree->styles[i + 1 == n];
		item = g_ptr_array_index(top, i);
		g_string_append(tree->text, style->mark);
		append_item(tree->text, item);
		append_below(tree, item, style->indent);
	}
	return n - first;
}

char *hvr_list_tree(const GPtrArray *items, gboolean unicode)
{
	g_autoptr(GHashTable) children =
		g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GHashTable) by_path = hvr_list_by_path(items);
	Tree tree = { .children = children, .styles = ascii, .text = g_string_new(NULL) };

	if (unicode)
		tree.styles = lines;
	for (guint i = 0; i < items->len; i++) {
		HvrListItem *item = g_ptr_array_index(items, i);
		g_ptr_array_add(children_of(&tree, hvr_list_parent(by_path, item)), item);
	}
	const GPtrArray *top = children_of(&tree, NULL);
	for (guint i = 0; i < top->len;)
		i += append_root_bus(&tree, top, i);
	return g_string_free(tree.text, FALSE);
}
