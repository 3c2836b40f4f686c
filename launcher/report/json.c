/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --json: one object, one line, keys that stay. And what others have sent: it may hold any type
 * under any name, of which json-glib's getters answer 0 or NULL for the wrong one, or warn.
 */
#include "launcher/report/json.h"

#include <stdio.h>
#include <string.h>

#include "launcher/report/text.h"

/* JSON escapes as UTF-16 does. */
static void append_escape(GString *out, gunichar c)
{
	g_autofree gunichar2 *units = g_ucs4_to_utf16(&c, 1, NULL, NULL, NULL);

	for (const gunichar2 *unit = units; *unit; unit++)
		g_string_append_printf(out, "\\u%04x", *unit);
}

/* What is not harmless can only be within a string. */
char *hvr_json_text(JsonNode *root)
{
	g_autofree char *raw = json_to_string(root, FALSE);
	g_autofree char *valid = g_utf8_make_valid(raw, -1);
	GString *out = g_string_sized_new(strlen(valid));

	for (const char *at = valid; *at;) {
		const char *next = g_utf8_next_char(at);
		gunichar c = g_utf8_get_char(at);

		if (hvr_text_is_harmless(c))
			g_string_append_len(out, at, next - at);
		else
			append_escape(out, c);
		at = next;
	}
	return g_string_free(out, FALSE);
}

void hvr_json_print(JsonObject *object)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(root, object);
	g_autofree char *text = hvr_json_text(root);
	printf("%s\n", text);
}

/* NULL: there is none of that type. */
static JsonNode *get_value(JsonObject *object, const char *name, GType type)
{
	JsonNode *node = json_object_get_member(object, name);

	if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != type)
		return NULL;
	return node;
}

gboolean hvr_json_get_int(JsonObject *object, const char *name, gint64 *out_value)
{
	JsonNode *node = get_value(object, name, G_TYPE_INT64);

	if (node)
		*out_value = json_node_get_int(node);
	return node != NULL;
}

gboolean hvr_json_is_true(JsonObject *object, const char *name)
{
	JsonNode *node = get_value(object, name, G_TYPE_BOOLEAN);

	return node && json_node_get_boolean(node);
}

const char *hvr_json_get_string(JsonObject *object, const char *name)
{
	JsonNode *node = get_value(object, name, G_TYPE_STRING);

	return node ? json_node_get_string(node) : NULL;
}

void hvr_json_set_string(JsonObject *object, const char *name, const char *value)
{
	if (value)
		json_object_set_string_member(object, name, value);
	else
		json_object_set_null_member(object, name);
}
