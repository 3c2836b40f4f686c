/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of a message, asked for with their type. The node's type is looked at before each get.
 */
#include "qmp/member.h"

static JsonNode *get_value(JsonObject *object, const char *name, GType type)
{
	JsonNode *node = json_object_get_member(object, name);

	if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != type)
		return NULL;
	return node;
}

const char *hvr_qmp_member_string(JsonObject *object, const char *name)
{
	JsonNode *node = get_value(object, name, G_TYPE_STRING);

	if (!node)
		return NULL;
	return json_node_get_string(node);
}

JsonObject *hvr_qmp_member_object(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	if (!node || !JSON_NODE_HOLDS_OBJECT(node))
		return NULL;
	return json_node_get_object(node);
}

gboolean hvr_qmp_member_is_int(JsonObject *object, const char *name, gint64 value)
{
	JsonNode *node = get_value(object, name, G_TYPE_INT64);

	return node && json_node_get_int(node) == value;
}
