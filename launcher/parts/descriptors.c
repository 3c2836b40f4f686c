/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors are read in the order of their names, which is the distribution's order of
 * preference.
 *
 * Nothing of a descriptor is believed before its type was looked at: json-glib's own getters warn,
 * or end the program, at a value of another type.
 */
#include "launcher/parts/descriptors.h"

#include <string.h>

/* Real ones have about 1 KiB; json-glib's parser recurses. */
#define LARGEST (16 * 1024)

static JsonNode *member(JsonObject *object, const char *name)
{
	if (!object)
		return NULL;
	return json_object_get_member(object, name);
}

JsonObject *hvr_descriptor_object(JsonObject *object, const char *name)
{
	JsonNode *node = member(object, name);

	if (!node || !JSON_NODE_HOLDS_OBJECT(node))
		return NULL;
	return json_node_get_object(node);
}

JsonArray *hvr_descriptor_array(JsonObject *object, const char *name)
{
	JsonNode *node = member(object, name);

	if (!node || !JSON_NODE_HOLDS_ARRAY(node))
		return NULL;
	return json_node_get_array(node);
}

const char *hvr_descriptor_text(JsonNode *node)
{
	if (!node || !JSON_NODE_HOLDS_VALUE(node) ||
	    json_node_get_value_type(node) != G_TYPE_STRING)
		return NULL;
	return json_node_get_string(node);
}

const char *hvr_descriptor_string(JsonObject *object, const char *name)
{
	return hvr_descriptor_text(member(object, name));
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_names(GHashTable *texts, GPtrArray *names, const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *text = NULL;
		gsize length;

		if (!g_str_has_suffix(name, ".json") || g_hash_table_contains(texts, name) ||
		    !g_file_get_contents(path, &text, &length, NULL) || length > LARGEST)
			continue;
		char *key = g_strdup(name);
		g_hash_table_insert(texts, key, g_steal_pointer(&text));
		g_ptr_array_add(names, key);
	}
}

GPtrArray *hvr_descriptors_read(const char *const *folders)
{
	g_autoptr(GHashTable) texts =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	GPtrArray *objects = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);

	for (gsize i = 0; folders && folders[i]; i++)
		add_names(texts, names, folders[i]);
	g_ptr_array_sort(names, compare_names);
	for (guint i = 0; i < names->len; i++) {
		const char *text = g_hash_table_lookup(texts, g_ptr_array_index(names, i));
		g_autoptr(JsonNode) node = NULL;

		if (*text)
			node = json_from_string(text, NULL);
		if (node && JSON_NODE_HOLDS_OBJECT(node))
			g_ptr_array_add(objects, json_node_dup_object(node));
	}
	return objects;
}
