/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file is UEFI on this host? Every distribution has it elsewhere, in several builds; QEMU's
 * firmware descriptors (docs/interop/firmware.json) say where and what they are. They are read in
 * their order (descriptors.c), and the first one that suits is taken.
 */
#include "launcher/parts/firmware.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "launcher/parts/descriptors.h"
#include "launcher/process/install.h"
#include "launcher/profile/machine.h"
#include "launcher/report/error.h"

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

static gboolean has_string(JsonArray *array, const char *wanted)
{
	for (guint i = 0; array && i < json_array_get_length(array); i++)
		if (g_strcmp0(hvr_descriptor_text(json_array_get_element(array, i)), wanted) == 0)
			return TRUE;
	return FALSE;
}

/* Descriptors have patterns of versioned names; the machine itself is the newest of them. */
static gboolean has_machine(JsonObject *target, const HvrMachine *kind, const char *machine)
{
	JsonArray *machines = hvr_descriptor_array(target, "machines");
	const char *name = strcmp(machine, kind->name) == 0 ? kind->versions : machine;

	for (guint i = 0; machines && i < json_array_get_length(machines); i++) {
		const char *pattern = hvr_descriptor_text(json_array_get_element(machines, i));

		if (pattern && g_pattern_match_simple(pattern, name))
			return TRUE;
	}
	return FALSE;
}

static gboolean has_target(JsonObject *root, const char *machine)
{
	JsonArray *targets = hvr_descriptor_array(root, "targets");
	const HvrMachine *kind = hvr_machine_find(machine);

	for (guint i = 0; targets && i < json_array_get_length(targets); i++) {
		JsonNode *node = json_array_get_element(targets, i);
		JsonObject *target =
			JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;

		if (g_strcmp0(hvr_descriptor_string(target, "architecture"), kind->architecture) ==
			    0 &&
		    has_machine(target, kind, machine))
			return TRUE;
	}
	return FALSE;
}

/* What is wanted, from most to least: a firmware suits in one of these ways. */
typedef enum { SECURE_ENROLLED, NOT_SECURE, SECURE_OFF } Kind;

static gboolean is_kind(JsonObject *root, Kind kind)
{
	JsonArray *features = hvr_descriptor_array(root, "features");
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
	JsonObject *file = hvr_descriptor_object(mapping, name);
	const char *path = hvr_descriptor_string(file, "filename");
	const char *format = hvr_descriptor_string(file, "format");

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
	JsonObject *mapping = hvr_descriptor_object(root, "mapping");
	const char *mode = hvr_descriptor_string(mapping, "mode");

	if (g_strcmp0(hvr_descriptor_string(mapping, "device"), "flash") != 0 ||
	    (mode && strcmp(mode, "split") != 0) ||
	    !read_file(mapping, "executable", &firmware->code, &firmware->code_format) ||
	    !read_file(mapping, "nvram-template", &firmware->vars, &firmware->vars_format))
		return NULL;
	firmware->needs_smm = has_string(hvr_descriptor_array(root, "features"), "requires-smm");
	return g_steal_pointer(&firmware);
}

static char *format_by_name(const char *path)
{
	return g_strdup(g_str_has_suffix(path, ".qcow2") ? "qcow2" : "raw");
}

HvrFirmware *hvr_firmware_own(const char *code, const char *vars, gboolean secure)
{
	HvrFirmware *firmware = g_new(HvrFirmware, 1);

	*firmware = (HvrFirmware){ .code = g_strdup(code),
				   .code_format = format_by_name(code),
				   .vars_format = format_by_name(vars),
				   .needs_smm = secure };
	return firmware;
}

static HvrFirmware *find_kind(const GPtrArray *descriptors, const char *machine, Kind kind)
{
	HvrFirmware *firmware = NULL;

	for (guint i = 0; !firmware && i < descriptors->len; i++) {
		JsonObject *root = g_ptr_array_index(descriptors, i);

		if (has_string(hvr_descriptor_array(root, "interface-types"), "uefi") &&
		    has_target(root, machine) && is_kind(root, kind))
			firmware = read_mapping(root);
	}
	return firmware;
}

HvrFirmware *hvr_firmware_find(const HvrHost *host, const char *const *folders, const char *machine,
			       gboolean secure, GError **error)
{
	g_autoptr(GPtrArray) descriptors = hvr_descriptors_read(folders);
	const char *wanted = "without Secure Boot";
	HvrFirmware *firmware;

	if (secure) {
		wanted = "with Secure Boot and keys";
		firmware = find_kind(descriptors, machine, SECURE_ENROLLED);
	} else {
		firmware = find_kind(descriptors, machine, NOT_SECURE);
		if (!firmware)
			firmware = find_kind(descriptors, machine, SECURE_OFF);
	}
	if (firmware)
		return firmware;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[firmware] mode: this host has no UEFI firmware %s for %s", wanted, machine);
	hvr_install_hint(error, "install it", host, HVR_PACKAGE_FIRMWARE);
	return NULL;
}
