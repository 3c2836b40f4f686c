/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/host/qemu-aio.h"

#include <json-glib/json-glib.h>
#include <string.h>

gboolean hvr_qemu_aio_wanted(const HvrProfile *profile, HvrDiskAio aio)
{
	for (guint i = 0; i < profile->disks->len; i++)
		if (((const HvrProfileDisk *)g_ptr_array_index(profile->disks, i))->aio == aio)
			return TRUE;
	return FALSE;
}

/* raw_open_common() in block/file-posix.c, and QAPI. */
gboolean hvr_qemu_aio_is_lacking(const char *said)
{
	static const char *const words[] = {
		"is not supported in this build", "Unable to use native AIO: ",
		"Unable to use io_uring: ", "does not accept value 'io_uring'",
		"Invalid parameter 'io_uring'"
	};

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (strstr(said, words[i]))
			return TRUE;
	return FALSE;
}

char *hvr_qemu_aio_node(const char *path, const char *word)
{
	g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
	JsonObject *node = json_object_new(), *cache = json_object_new();

	json_object_set_string_member(node, "driver", "file");
	json_object_set_string_member(node, "node-name", "hvr-asked");
	json_object_set_string_member(node, "filename", path);
	json_object_set_boolean_member(node, "read-only", TRUE);
	json_object_set_string_member(node, "aio", word);
	json_object_set_boolean_member(cache, "direct", TRUE);
	json_object_set_object_member(node, "cache", cache);
	json_node_take_object(root, node);
	return json_to_string(root, FALSE);
}
