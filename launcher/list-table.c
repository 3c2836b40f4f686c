/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table whose columns are as wide as their widest cell. Where the terminal is narrower, the name
 * gives way first: everything else may have to be copied from here.
 */
#include "launcher/list.h"

#include <string.h>

enum {
	ADDRESS,
	NAME,
	GROUP,
	DRIVER,
	USE,
	RESET,
	LINK,
	POWER,
	NUMA,
	NODE,
	PATH,
	COLUMNS,
};

#define NAME_MIN 12
#define GAP	 2

static const char *const headline[COLUMNS] = {
	"ADDRESS", "NAME",  "GROUP", "DRIVER", "IN USE BY", "RESET",
	"LINK",	   "POWER", "NUMA",  "NODE",   "PATH",
};

typedef struct {
	char *cells[COLUMNS];
} Row;

static void row_free(gpointer data)
{
	Row *row = data;

	for (guint i = 0; i < COLUMNS; i++)
		g_free(row->cells[i]);
	g_free(row);
}

/* "8.0 GT/s PCIe" and "4": "8.0 GT/s x4" */
static char *link_text(const HvrListItem *item)
{
	const char *blank = item->link_speed ? strstr(item->link_speed, " PCIe") : NULL;

	if (!item->link_speed || !item->link_width || !g_ascii_isdigit(*item->link_speed) ||
	    g_str_equal(item->link_width, "0"))
		return g_strdup("-");
	return g_strdup_printf(
		"%.*s x%s", blank ? (int)(blank - item->link_speed) : (int)strlen(item->link_speed),
		item->link_speed, item->link_width);
}

static char *reset_text(const HvrListItem *item)
{
	if (!item->reset_method)
		return g_strdup("-");
	return g_strdup(*item->reset_method ? item->reset_method : "none");
}

static char *node_text(const HvrListItem *item)
{
	return item->node ? g_strdup_printf("%s %s %04o", item->node, item->node_owner,
					    item->node_mode)
			  : g_strdup("-");
}

static Row *row_new(const HvrListItem *item)
{
	const HvrPciFunction *function = item->function;
	gboolean detailed = item->detailed;
	Row *row = g_new0(Row, 1);

	row->cells[ADDRESS] = g_strdup(function->name);
	row->cells[NAME] = g_strdup(item->name);
	row->cells[GROUP] = hvr_list_group_text(item);
	row->cells[DRIVER] = g_strdup(function->driver ? function->driver : "-");
	row->cells[USE] = function->quirk || item->use.kind != HVR_USE_UNKNOWN
				  ? hvr_use_describe(&item->use)
				  : g_strdup("-");
	row->cells[RESET] = reset_text(item);
	row->cells[LINK] = link_text(item);
	row->cells[POWER] = g_strdup(item->power_state ? item->power_state : "-");
	row->cells[NUMA] = detailed && item->numa_node >= 0 ? g_strdup_printf("%d", item->numa_node)
							    : g_strdup("-");
	row->cells[NODE] = node_text(item);
	row->cells[PATH] = g_strdup(function->path ? function->path : "-");
	return row;
}

static void measure(const GPtrArray *rows, guint widths[COLUMNS], guint limit)
{
	guint total = (COLUMNS - 1) * GAP;

	for (guint i = 0; i < COLUMNS; i++) {
		widths[i] = (guint)strlen(headline[i]);
		for (guint k = 0; k < rows->len; k++) {
			const Row *row = g_ptr_array_index(rows, k);
			widths[i] = MAX(widths[i], (guint)g_utf8_strlen(row->cells[i], -1));
		}
		total += widths[i];
	}
	if (limit && total > limit && widths[NAME] > NAME_MIN)
		widths[NAME] = MAX(NAME_MIN, widths[NAME] - MIN(total - limit, widths[NAME]));
}

/* No blanks at the end of a line. */
static void append_row(GString *text, char *const cells[COLUMNS], const guint widths[COLUMNS])
{
	for (guint i = 0; i < COLUMNS; i++) {
		g_autofree char *cell = g_utf8_substring(
			cells[i], 0, MIN((glong)widths[i], g_utf8_strlen(cells[i], -1)));
		guint length = (guint)g_utf8_strlen(cell, -1);
		g_string_append(text, cell);
		if (i + 1 < COLUMNS)
			for (guint k = length; k < widths[i] + GAP; k++)
				g_string_append_c(text, ' ');
	}
	g_string_append_c(text, '\n');
}

char *hvr_list_table(const GPtrArray *items, guint width)
{
	g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
	GString *text = g_string_new(NULL);
	guint widths[COLUMNS];

	for (guint i = 0; i < items->len; i++) {
		const HvrListItem *item = g_ptr_array_index(items, i);
		if (item->chosen)
			g_ptr_array_add(rows, row_new(item));
	}
	measure(rows, widths, width);
	append_row(text, (char *const *)headline, widths);
	for (guint i = 0; i < rows->len; i++) {
		const Row *row = g_ptr_array_index(rows, i);
		append_row(text, row->cells, widths);
	}
	return g_string_free(text, FALSE);
}
