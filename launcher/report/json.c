/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --json: one object, one line, keys that stay.
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

void hvr_json_set_string(JsonObject *object, const char *name, const char *value)
{
	if (value)
		json_object_set_string_member(object, name, value);
	else
		json_object_set_null_member(object, name);
}
