/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/import/options.h"

#include <string.h>

#include <json-glib/json-glib.h>

/* json-glib has no bound of its own, and 100,000 brackets are the end of its stack. */
#define JSON_MOST_BYTES	   16384
#define JSON_MOST_BRACKETS 64

static void add_json(HvrImport *import, HvrImportPart *part, const HvrImportOptions *options,
		     const char *name, JsonNode *node);

static void add_member(HvrImport *import, HvrImportPart *part, const HvrImportOptions *options,
		       const char *name, const char *member, JsonNode *node)
{
	g_autofree char *whole = *name ? g_strconcat(name, ".", member, NULL) : g_strdup(member);

	add_json(import, part, options, whole, node);
}

static void add_json_value(HvrImport *import, HvrImportPart *part, const HvrImportOptions *options,
			   const char *name, JsonNode *node)
{
	g_autofree char *whole = g_strconcat(options->prefix, name, NULL);
	g_autofree char *text = NULL;

	if (json_node_get_value_type(node) == G_TYPE_STRING)
		text = g_strdup(json_node_get_string(node));
	else if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
		text = g_strdup(json_node_get_boolean(node) ? "on" : "off");
	else
		text = json_to_string(node, FALSE);
	hvr_import_add(import, part, options->line, whole, text);
}

/* No deeper than JSON_MOST_BRACKETS. */
static void add_json(HvrImport *import, HvrImportPart *part, const HvrImportOptions *options,
		     const char *name, JsonNode *node)
{
	if (JSON_NODE_HOLDS_OBJECT(node)) {
		JsonObjectIter iter;
		const char *member;
		JsonNode *child;

		json_object_iter_init_ordered(&iter, json_node_get_object(node));
		while (json_object_iter_next_ordered(&iter, &member, &child))
			add_member(import, part, options, name, member, child);
	} else if (JSON_NODE_HOLDS_ARRAY(node)) {
		JsonArray *array = json_node_get_array(node);

		for (guint i = 0; i < json_array_get_length(array); i++) {
			g_autofree char *index = g_strdup_printf("%u", i);
			add_member(import, part, options, name, index,
				   json_array_get_element(array, i));
		}
	} else {
		add_json_value(import, part, options, name, node);
	}
}

static gboolean is_bounded(const char *text)
{
	guint brackets = 0;

	for (const char *c = text; *c; c++)
		brackets += *c == '{' || *c == '[';
	return strlen(text) <= JSON_MOST_BYTES && brackets <= JSON_MOST_BRACKETS &&
	       g_utf8_validate(text, -1, NULL);
}

static void read_json(HvrImport *import, HvrImportPart *part, const HvrImportOptions *options)
{
	g_autoptr(JsonNode) root = NULL;

	if (is_bounded(options->text))
		root = json_from_string(options->text, NULL);
	if (root && JSON_NODE_HOLDS_OBJECT(root))
		add_json(import, part, options, "", root);
	else
		hvr_import_note(import, options->line, part->shown, "its JSON cannot be read",
				FALSE);
}

/* Up to the next comma that is none of the value. */
static char *take_piece(const char **text)
{
	g_autoptr(GString) piece = g_string_new(NULL);
	const char *c = *text;

	for (; *c && (*c != ',' || c[1] == ','); c++) {
		if (*c == ',')
			c++;
		g_string_append_c(piece, *c);
	}
	*text = *c ? c + 1 : c;
	return g_strdup(piece->str);
}

void hvr_import_options(HvrImport *import, HvrImportPart *part, const HvrImportOptions *options)
{
	const char *rest = options->text;
	gboolean first = TRUE;

	if (*rest == '{') {
		read_json(import, part, options);
		return;
	}
	while (*rest && !hvr_import_is_full(import)) {
		g_autofree char *piece = take_piece(&rest);
		char *equals = strchr(piece, '=');
		const char *name = piece, *value = "on";

		if (equals) {
			*equals = '\0';
			value = equals + 1;
		} else if (first && options->implied) {
			name = options->implied;
			value = piece;
		}
		first = FALSE;
		g_autofree char *whole = g_strconcat(options->prefix, name, NULL);
		if (*name)
			hvr_import_add(import, part, options->line, whole, value);
	}
}
