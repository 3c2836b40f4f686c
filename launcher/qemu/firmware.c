/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file is UEFI on this host? Every distribution has it elsewhere, in several builds; QEMU's
 * firmware descriptors (docs/interop/firmware.json) say where and what they are. They are read in
 * the order of their names, which is the distribution's order of preference, and the first one that
 * suits is taken.
 *
 * Nothing of a descriptor is believed before its type was looked at: json-glib's own getters warn,
 * or end the program, at a value of another type.
 */
#include "launcher/qemu/firmware.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "launcher/error.h"

/* Real ones have about 1 KiB; json-glib's parser recurses. */
#define LARGEST (16 * 1024)

void hvr_firmware_free(HvrFirmware *firmware)
{
	if (!firmware)
		return;
	g_free(firmware->code);
	g_free(firmware->code_format);
	g_free(firmware->vars);
	g_free(firmware->vars_format);
	g_free(firmware);
}

static JsonObject *get_object(JsonObject *object, const char *name)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;

	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonArray *get_array(JsonObject *object, const char *name)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;

	return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static const char *node_string(JsonNode *node)
{
	return node && JSON_NODE_HOLDS_VALUE(node) &&
			       json_node_get_value_type(node) == G_TYPE_STRING
		       ? json_node_get_string(node)
		       : NULL;
}

static const char *get_string(JsonObject *object, const char *name)
{
	return object ? node_string(json_object_get_member(object, name)) : NULL;
}

static gboolean has_string(JsonArray *array, const char *wanted)
{
	for (guint i = 0; array && i < json_array_get_length(array); i++)
		if (g_strcmp0(node_string(json_array_get_element(array, i)), wanted) == 0)
			return TRUE;
	return FALSE;
}

/* Descriptors have patterns of versioned names; "q35" itself is the newest of them. */
static gboolean has_machine(JsonObject *target, const char *machine)
{
	JsonArray *machines = get_array(target, "machines");
	const char *name = strcmp(machine, "q35") == 0 ? "pc-q35-" : machine;

	for (guint i = 0; machines && i < json_array_get_length(machines); i++) {
		const char *pattern = node_string(json_array_get_element(machines, i));

		if (pattern && g_pattern_match_simple(pattern, name))
			return TRUE;
	}
	return FALSE;
}

static gboolean has_target(JsonObject *root, const char *machine)
{
	JsonArray *targets = get_array(root, "targets");

	for (guint i = 0; targets && i < json_array_get_length(targets); i++) {
		JsonNode *node = json_array_get_element(targets, i);
		JsonObject *target =
			JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

		if (g_strcmp0(get_string(target, "architecture"), "x86_64") == 0 &&
		    has_machine(target, machine))
			return TRUE;
	}
	return FALSE;
}

/* What is wanted, from most to least: a firmware suits in one of these ways. */
typedef enum { SECURE_ENROLLED, NOT_SECURE, SECURE_OFF } Kind;

static gboolean is_kind(JsonObject *root, Kind kind)
{
	JsonArray *features = get_array(root, "features");
	gboolean secure = has_string(features, "secure-boot");
	gboolean enrolled = has_string(features, "enrolled-keys");

	switch (kind) {
	case SECURE_ENROLLED:
		return secure && enrolled;
	case NOT_SECURE:
		return !secure;
	default:
		return secure && !enrolled;
	}
}

static gboolean read_file(JsonObject *mapping, const char *name, char **out_file, char **out_format)
{
	JsonObject *file = get_object(mapping, name);
	const char *path = get_string(file, "filename");
	const char *format = get_string(file, "format");

	if (!path || !g_path_is_absolute(path) || !format ||
	    (strcmp(format, "raw") != 0 && strcmp(format, "qcow2") != 0))
		return FALSE;
	*out_file = g_strdup(path);
	*out_format = g_strdup(format);
	return TRUE;
}

/* Flash with a file of its own for the variables; that is what a missing mode means too. */
static HvrFirmware *read_mapping(JsonObject *root)
{
	g_autoptr(HvrFirmware) firmware = g_new0(HvrFirmware, 1);
	JsonObject *mapping = get_object(root, "mapping");
	const char *mode = get_string(mapping, "mode");

	if (g_strcmp0(get_string(mapping, "device"), "flash") != 0 ||
	    (mode && strcmp(mode, "split") != 0) ||
	    !read_file(mapping, "executable", &firmware->code, &firmware->code_format) ||
	    !read_file(mapping, "nvram-template", &firmware->vars, &firmware->vars_format))
		return NULL;
	firmware->needs_smm = has_string(get_array(root, "features"), "requires-smm");
	return g_steal_pointer(&firmware);
}

static HvrFirmware *read_descriptor(const char *text, const char *machine, Kind kind)
{
	g_autoptr(JsonNode) node = json_from_string(text, NULL);
	JsonObject *root = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

	if (!root || !has_string(get_array(root, "interface-types"), "uefi") ||
	    !has_target(root, machine) || !is_kind(root, kind))
		return NULL;
	return read_mapping(root);
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

static HvrFirmware *find_kind(GHashTable *texts, const GPtrArray *names, const char *machine,
			      Kind kind)
{
	HvrFirmware *firmware = NULL;

	for (guint i = 0; !firmware && i < names->len; i++) {
		const char *text = g_hash_table_lookup(texts, g_ptr_array_index(names, i));

		if (*text)
			firmware = read_descriptor(text, machine, kind);
	}
	return firmware;
}

HvrFirmware *hvr_firmware_find(const char *const *folders, const char *machine, gboolean secure,
			       GError **error)
{
	g_autoptr(GHashTable) texts =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	HvrFirmware *firmware;

	for (gsize i = 0; folders && folders[i]; i++)
		add_names(texts, names, folders[i]);
	g_ptr_array_sort(names, compare_names);
	firmware = find_kind(texts, names, machine, secure ? SECURE_ENROLLED : NOT_SECURE);
	if (!firmware && !secure)
		firmware = find_kind(texts, names, machine, SECURE_OFF);
	if (firmware)
		return firmware;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[firmware] mode: this host has no UEFI firmware %s for %s",
		    secure ? "with Secure Boot and keys" : "without Secure Boot", machine);
	hvr_error_hint(error, "install it (Debian, Ubuntu: apt install ovmf; Fedora: dnf install "
			      "edk2-ovmf)");
	return NULL;
}
