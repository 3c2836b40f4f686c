/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/parts/image-name.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "launcher/report/json.h"

#define FILE_PREFIX   "file:"
#define DEVICE_PREFIX "host_device:"
#define JSON_PREFIX   "json:"

/* Those of QEMU's that may stand without "//" behind the colon (protocol_name in block/). */
static const char *const protocols[] = { "nbd",	     "fat",	 "rbd",	      "iscsi", "nvme",
					 "blkdebug", "nfs",	 "blkverify", "json",  "host_cdrom",
					 "null-co",  "null-aio", "sheepdog",  NULL };

static gboolean has_other_protocol(const char *name)
{
	gsize length = strcspn(name, ":/");
	g_autofree char *protocol = g_strndup(name, length);

	return !g_str_has_prefix(name + length, "://") && !g_strv_contains(protocols, protocol);
}

static gboolean is_protocol_of_files(const char *driver)
{
	return g_strcmp0(driver, "file") == 0 || g_strcmp0(driver, "host_device") == 0;
}

/* Of {"driver":"qcow2","file":{"driver":"file","filename":"a"}}, or with "file.driver" and
 * "file.filename", or of a protocol alone. */
static void read_object(HvrImageName *parsed, JsonObject *object)
{
	const char *driver = hvr_json_get_string(object, "driver");
	const char *protocol = hvr_json_get_string(object, "file.driver");
	const char *path = hvr_json_get_string(object, "file.filename");
	JsonNode *node = json_object_get_member(object, "file");

	if (node && JSON_NODE_HOLDS_OBJECT(node)) {
		JsonObject *file = json_node_get_object(node);
		protocol = hvr_json_get_string(file, "driver");
		path = hvr_json_get_string(file, "filename");
	} else if (!node && !path && !protocol && (!driver || is_protocol_of_files(driver))) {
		protocol = driver;
		path = hvr_json_get_string(object, "filename");
		driver = NULL;
	}
	if (path && is_protocol_of_files(protocol ? protocol : "file")) {
		parsed->path = g_strdup(path);
		parsed->format = g_strdup(driver);
	}
}

static void read_json(HvrImageName *parsed, const char *text)
{
	g_autoptr(JsonParser) parser = json_parser_new();

	if (!json_parser_load_from_data(parser, text, -1, NULL))
		return;
	JsonNode *root = json_parser_get_root(parser);
	if (root && JSON_NODE_HOLDS_OBJECT(root))
		read_object(parsed, json_node_get_object(root));
}

void hvr_image_name_parse(HvrImageName *parsed, const char *name, const char *image)
{
	*parsed = (HvrImageName){ 0 };
	if (g_str_has_prefix(name, JSON_PREFIX))
		read_json(parsed, name + strlen(JSON_PREFIX));
	else if (g_str_has_prefix(name, FILE_PREFIX))
		parsed->path = g_strdup(name + strlen(FILE_PREFIX));
	else if (g_str_has_prefix(name, DEVICE_PREFIX))
		parsed->path = g_strdup(name + strlen(DEVICE_PREFIX));
	else if (name[strcspn(name, ":/")] == ':')
		parsed->colon = has_other_protocol(name);
	else if (*name == '/')
		parsed->path = g_strdup(name);
	else {
		g_autofree char *folder = g_path_get_dirname(image);
		parsed->path = g_build_filename(folder, name, NULL);
	}
}

void hvr_image_name_clear(HvrImageName *name)
{
	g_clear_pointer(&name->path, g_free);
	g_clear_pointer(&name->format, g_free);
}
