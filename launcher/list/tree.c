/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same machine as a tree: root buses, the bridges and switches on them, the functions below.
 * A stable path is the way through it, so the path without its last part is what is above.
 */
#include "launcher/list/list.h"

#include <string.h>

#include "launcher/report/text.h"

#define RED   "\033[1;31m"
#define RESET "\033[0m"
/* A name is not cut any shorter. */
#define NAME_MIN 11

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
	gboolean colour;
	guint width; /* 0: any */
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

/* Of a colour's begin and end there is nothing without colours. */
static void append_colour(const Tree *tree, const char *colour)
{
	if (tree->colour)
		g_string_append(tree->text, colour);
}

/* ", driver nvme, group 11, blocks 0000:2e:00.0", harmless. [transfer full] */
static char *describe_state(const HvrListItem *item)
{
	const HvrPciFunction *function = item->function;
	g_autoptr(GString) text = g_string_new(NULL);

	if (function->driver)
		g_string_append_printf(text, ", driver %s", function->driver);
	if (function->group >= 0)
		g_string_append_printf(text, ", group %d", function->group);
	if (item->detailed && function->quirk) {
		g_autofree char *use = hvr_occupancy_describe(&item->occupancy);
		g_string_append_printf(text, ", %s", use);
	}
	if (item->judged && item->passable.kind == HVR_PASSABLE_YES)
		g_string_append(text, ", passable");
	if (item->blocks)
		g_string_append_printf(text, ", blocks %s", item->blocks->name);
	return hvr_text_safe(text->str);
}

/* "SM2263EN/SM2263XT SSD Controller [126f:2263]", in @room characters where that can be; harmless.
 * [transfer full] */
static char *describe_what(const HvrListItem *item, glong room)
{
	const HvrPciFunction *function = item->function;
	g_autofree char *id = g_strdup_printf(" [%04x:%04x]", function->vendor, function->device);
	glong left = room - (glong)strlen(id);
	g_autofree char *name = hvr_text_safe(item->name);

	if (g_utf8_strlen(name, -1) > left && item->short_name) {
		g_free(name);
		name = hvr_text_safe(item->short_name);
	}
	if (g_utf8_strlen(name, -1) <= left)
		return g_strconcat(name, id, NULL);
	if (g_utf8_strlen(name, -1) <= MAX(room, NAME_MIN))
		return g_steal_pointer(&name);
	g_autofree char *begin = g_utf8_substring(name, 0, MAX(room, NAME_MIN) - 3);
	return g_strconcat(begin, "...", NULL);
}

/* @column: where it begins */
static void append_item(const Tree *tree, const HvrListItem *item, glong column)
{
	const char *address = item->function->name;
	g_autofree char *state = describe_state(item);
	glong room = G_MAXINT;

	if (tree->width)
		room = (glong)tree->width - column - (glong)strlen(address) - 1 -
		       g_utf8_strlen(state, -1);
	g_autofree char *what = describe_what(item, room);
	g_autofree char *line = g_strdup_printf("%s %s%s", address, what, state);
	gboolean marked = hvr_list_is_culprit(item);

	if (marked)
		append_colour(tree, RED);
	hvr_text_append(tree->text, line, strlen(line), HVR_TEXT_ONE_LINE);
	if (marked)
		append_colour(tree, RESET);
	g_string_append_c(tree->text, '\n');
}

/* Below a card that no VM can have: why. */
static void append_why(const Tree *tree, const HvrListItem *item, const char *indent)
{
	if (!item->judged || item->passable.kind != HVR_PASSABLE_NO)
		return;
	g_string_append_printf(tree->text, "%snot passable: ", indent);
	hvr_text_append(tree->text, item->passable.why, strlen(item->passable.why),
			HVR_TEXT_ONE_LINE);
	g_string_append_c(tree->text, '\n');
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
		append_item(tree, item, g_utf8_strlen(deeper, -1));
		append_why(tree, item, deeper);
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
		append_item(tree, item, g_utf8_strlen(style->indent, -1));
		append_why(tree, item, style->indent);
		append_below(tree, item, style->indent);
	}
	return n - first;
}

char *hvr_list_tree(const GPtrArray *items, HvrListStyle style, guint width)
{
	g_autoptr(GHashTable) children =
		g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GHashTable) by_path = hvr_list_by_path(items);
	Tree tree = { .children = children,
		      .styles = ascii,
		      .colour = (style & HVR_LIST_COLOUR) != 0,
		      .width = width,
		      .text = g_string_new(NULL) };

	if (style & HVR_LIST_UNICODE)
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
