/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table whose columns are as wide as their widest cell. Where the terminal is narrower, the name
 * gives way first: everything else may have to be copied from here. Where that is not enough, each
 * card is a record of short lines: a table whose rows wrap is none.
 */
#include "launcher/list/list.h"

#include <string.h>

#include "launcher/report/text.h"

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
	HEALTH,
	PASSABLE,
	COLUMNS,
};

#define NAME_MIN 12
#define GAP	 2
/* Of a record: "in use by". On a terminal that is narrower than an address and a word, lines wrap.
 */
#define LABEL_WIDTH 9
#define WIDTH_MIN   32

static const char *const headline[COLUMNS] = {
	"ADDRESS", "NAME", "GROUP", "DRIVER", "IN USE BY", "RESET",    "LINK",
	"POWER",   "NUMA", "NODE",  "PATH",   "HEALTH",	   "PASSABLE",
};

/* Cells are literals, texts of the item, or in @texts: of thousands of rows most are "-". */
typedef struct {
	const char *cells[COLUMNS];
	guint lengths[COLUMNS]; /* in characters */
} Row;

typedef struct {
	GArray *rows; /* of Row */
	GStringChunk *texts;
	guint widths[COLUMNS];
} Table;

/* @text: (transfer full) */
static const char *keep(const Table *table, char *text)
{
	g_autofree char *owned = text;
	return g_string_chunk_insert(table->texts, owned);
}

/* "8.0 GT/s PCIe" and "4": "8.0 GT/s x4" */
static const char *link_text(const Table *table, const HvrListItem *item)
{
	if (!item->link_speed || !item->link_width || !g_ascii_isdigit(*item->link_speed) ||
	    g_str_equal(item->link_width, "0"))
		return "-";
	g_auto(GStrv) around = g_strsplit(item->link_speed, " PCIe", 2);
	return keep(table, g_strdup_printf("%s x%s", around[0], item->link_width));
}

static const char *use_text(const Table *table, const HvrListItem *item)
{
	if (!item->function->quirk && item->occupancy.kind == HVR_OCCUPANCY_UNKNOWN)
		return "-";
	return keep(table, hvr_occupancy_describe(&item->occupancy));
}

static const char *node_text(const Table *table, const HvrListItem *item)
{
	if (!item->node)
		return "-";
	return keep(table,
		    g_strdup_printf("%s %s %04o", item->node, item->node_owner, item->node_mode));
}

/* "ok", or what is wrong with it. */
static const char *health_text(const Table *table, const HvrListItem *item)
{
	const char *name = hvr_health_name(item->health.kind);

	if (!item->has_health)
		return "-";
	if (!item->health.reason)
		return name;
	if (item->health.kind == HVR_HEALTH_HELD)
		return item->health.reason;
	return keep(table, g_strdup_printf("%s: %s", name, item->health.reason));
}

/* The last column may be as long as it likes. */
static const char *passable_text(const Table *table, const HvrListItem *item)
{
	if (!item->judged)
		return "-";
	return keep(table, hvr_passable_describe(&item->passable));
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

/* A cell is others' text, mostly: a newline in it would be a row of theirs, a tab moves the
 * columns. */
static const char *make_cell(const Table *table, const char *text)
{
	gboolean plain = TRUE;

	for (const char *c = text; *c && plain; c++)
		plain = *c >= ' ' && *c <= '~';
	if (plain)
		return text;
	return g_strdelimit((char *)keep(table, hvr_text_safe(text)), "\t", ' ');
}

static void add_row(Table *table, const HvrListItem *item)
{
	const HvrPciFunction *function = item->function;
	Row row = {
		.cells = {
			[ADDRESS] = function->name,
			[NAME] = item->name,
			[GROUP] = keep(table, hvr_list_group_text(item)),
			[DRIVER] = or_dash(function->driver),
			[USE] = use_text(table, item),
			[RESET] = or_dash(item->reset_method),
			[LINK] = link_text(table, item),
			[POWER] = or_dash(item->power_state),
			[NUMA] = "-",
			[NODE] = node_text(table, item),
			[PATH] = or_dash(function->path),
			[HEALTH] = health_text(table, item),
			[PASSABLE] = passable_text(table, item),
		},
	};

	if (*row.cells[RESET] == '\0')
		row.cells[RESET] = "none";
	if (item->numa_node >= 0)
		row.cells[NUMA] = keep(table, g_strdup_printf("%d", item->numa_node));
	for (guint i = 0; i < COLUMNS; i++) {
		row.cells[i] = make_cell(table, row.cells[i]);
		row.lengths[i] = (guint)g_utf8_strlen(row.cells[i], -1);
		table->widths[i] = MAX(table->widths[i], row.lengths[i]);
	}
	g_array_append_val(table->rows, row);
}

static void add_headline(Table *table)
{
	Row row;

	for (guint i = 0; i < COLUMNS; i++) {
		row.cells[i] = headline[i];
		row.lengths[i] = table->widths[i] = (guint)strlen(headline[i]);
	}
	g_array_append_val(table->rows, row);
}

/* FALSE: it does not fit, however short the names are. */
static gboolean fit(Table *table, guint limit)
{
	guint total = (COLUMNS - 1) * GAP, least;

	for (guint i = 0; i < COLUMNS; i++)
		total += table->widths[i];
	if (!limit || total <= limit)
		return TRUE;
	least = MIN(table->widths[NAME], NAME_MIN);
	if (total - limit > table->widths[NAME] - least)
		return FALSE;
	table->widths[NAME] -= total - limit;
	return TRUE;
}

/* No blanks at the end of a line. */
static void append_row(GString *text, const Row *row, const guint widths[COLUMNS])
{
	static const char blanks[] = "                                ";

	for (guint i = 0; i < COLUMNS; i++) {
		guint length = MIN(row->lengths[i], widths[i]);
		const char *end = g_utf8_offset_to_pointer(row->cells[i], length);
		g_string_append_len(text, row->cells[i], end - row->cells[i]);
		if (i + 1 == COLUMNS)
			break;
		guint left = widths[i] + GAP - length;
		for (; left > 0; left -= MIN(left, sizeof(blanks) - 1))
			g_string_append_len(text, blanks, (gssize)MIN(left, sizeof(blanks) - 1));
	}
	g_string_append_c(text, '\n');
}

/* What one asks for first comes first; what is not known, or not there, has no line. */
static void append_record(GString *text, const Row *row, guint width)
{
	static const guint order[] = { PASSABLE, USE,	DRIVER, GROUP, HEALTH, RESET,
				       LINK,	 POWER, NUMA,	NODE,  PATH };

	g_string_append_printf(text, "%s  ", row->cells[ADDRESS]);
	hvr_text_append_wrapped(text, row->cells[NAME], row->lengths[ADDRESS] + GAP, width);
	for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
		const char *cell = row->cells[order[i]];
		g_autofree char *label = g_ascii_strdown(headline[order[i]], -1);
		if (g_str_equal(cell, "-"))
			continue;
		g_string_append_printf(text, "  %-*s  ", LABEL_WIDTH, label);
		hvr_text_append_wrapped(text, cell, 2 + LABEL_WIDTH + GAP, width);
	}
}

static void append_records(GString *text, const GArray *rows, guint width)
{
	/* The first is the headline. */
	for (guint i = 1; i < rows->len; i++) {
		if (i > 1)
			g_string_append_c(text, '\n');
		append_record(text, &g_array_index(rows, Row, i), MAX(width, WIDTH_MIN));
	}
}

char *hvr_list_table(const GPtrArray *items, guint width)
{
	g_autoptr(GArray) rows = g_array_sized_new(FALSE, FALSE, sizeof(Row), items->len + 1);
	Table table = { .rows = rows, .texts = g_string_chunk_new(4096) };
	GString *text = g_string_new(NULL);

	add_headline(&table);
	for (guint i = 0; i < items->len; i++) {
		const HvrListItem *item = g_ptr_array_index(items, i);
		if (item->chosen)
			add_row(&table, item);
	}
	gboolean fits = fit(&table, width);
	for (guint i = 0; fits && i < rows->len; i++)
		append_row(text, &g_array_index(rows, Row, i), table.widths);
	if (!fits)
		append_records(text, rows, width);
	g_string_chunk_free(table.texts);
	return g_string_free(text, FALSE);
}
