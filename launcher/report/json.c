/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --json: one object, one line, keys that stay. And what others have sent: it may hold any type
 * under any name, of which json-glib's getters answer 0 or NULL for the wrong one, or warn.
 */
#include "launcher/report/json.h"

#include <stdio.h>

void hvr_json_print(JsonObject *object)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(root, object);
	g_autofree char *text = json_to_string(root, FALSE);
	printf("%s\n", text);
}

const char *hvr_json_get_string(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	if (!node || !JSON_NODE_HOLDS_VALUE(node) ||
	    json_node_get_value_type(node) != G_TYPE_STRING)
		return NULL;
	return json_node_get_string(node);
}

void hvr_json_set_string(JsonObject *object, const char *name, const char *value)
{
	if (value)
		json_object_set_string_member(object, name, value);
	else
		json_object_set_null_member(object, name);
}
