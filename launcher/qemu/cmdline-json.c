/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two ways to say an option to QEMU. JSON is one value whatever is in it. The older key=value form
 * ends a value at a comma unless it is doubled, and knows no other special character.
 */
#include "launcher/qemu/cmdline-json.h"

void hvr_cmdline_add(GPtrArray *argv, const char *option, const char *format, ...)
{
	va_list args;

	g_ptr_array_add(argv, g_strdup(option));
	va_start(args, format);
	g_ptr_array_add(argv, g_strdup_vprintf(format, args));
	va_end(args);
}

void hvr_cmdline_add_json(GPtrArray *argv, const char *option, JsonObject *properties)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, properties);
	g_ptr_array_add(argv, g_strdup(option));
	g_ptr_array_add(argv, json_to_string(node, FALSE));
}

static void append_key(JsonObject *properties, const char *name, JsonNode *value,
		       gpointer user_data)
{
	GString *text = user_data;

	if (text->len)
		g_string_append_c(text, ',');
	g_string_append_printf(text, "%s=", name);
	if (json_node_get_value_type(value) == G_TYPE_STRING) {
		g_autofree char *escaped = hvr_cmdline_escape(json_node_get_string(value));
		g_string_append(text, escaped);
	} else if (json_node_get_value_type(value) == G_TYPE_BOOLEAN) {
		g_string_append(text, json_node_get_boolean(value) ? "on" : "off");
	} else {
		g_string_append_printf(text, "%" G_GINT64_FORMAT, json_node_get_int(value));
	}
}

void hvr_cmdline_add_keys(GPtrArray *argv, const char *option, JsonObject *properties)
{
	GString *text = g_string_new(NULL);

	json_object_foreach_member(properties, append_key, text);
	json_object_unref(properties);
	g_ptr_array_add(argv, g_strdup(option));
	g_ptr_array_add(argv, g_string_free(text, FALSE));
}

void hvr_cmdline_add_plain(GPtrArray *argv, const char *driver, const char *id, const char *bus)
{
	JsonObject *device = json_object_new();

	json_object_set_string_member(device, "driver", driver);
	json_object_set_string_member(device, "id", id);
	if (bus)
		json_object_set_string_member(device, "bus", bus);
	hvr_cmdline_add_json(argv, "-device", device);
}

gboolean hvr_cmdline_add_listener(GPtrArray *argv, const char *id, int fd, const char *path)
{
	if (fd >= 0) {
		hvr_cmdline_add(argv, "-chardev", "socket,id=%s,fd=%d,server=on,wait=off", id, fd);
	} else if (path) {
		g_autofree char *escaped = hvr_cmdline_escape(path);
		hvr_cmdline_add(argv, "-chardev", "socket,id=%s,path=%s,server=on,wait=off", id,
				escaped);
	}
	return fd >= 0 || path;
}

char *hvr_cmdline_escape(const char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ",", -1);

	return g_strjoinv(",,", parts);
}
