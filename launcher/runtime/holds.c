/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/runtime/holds.h"

#include <stdio.h>
#include <string.h>

#include "launcher/process/user.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"
#include "launcher/runtime/lasting.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define FOLDER	    "holds"
#define GROUP	    "hold"
#define KEY_ADDRESS "address"
#define KEY_REASON  "reason"
#define KEY_BY	    "by"
#define KEY_ITSELF  "itself"
#define KEY_SINCE   "since"

void hvr_hold_free(HvrHold *hold)
{
	if (!hold)
		return;
	g_free(hold->path);
	g_free(hold->id);
	g_free(hold->address);
	g_free(hold->reason);
	g_free(hold->by);
	g_free(hold);
}

char *hvr_hold_path_of(const HvrPciFunction *function)
{
	if (function->path)
		return g_strdup(function->path);
	return g_strconcat("=", function->name, NULL);
}

char *hvr_hold_id_of(const HvrPciFunction *function)
{
	return g_strdup_printf("%04x:%04x", function->vendor, function->device);
}

HvrHold *hvr_hold_new(const HvrPciFunction *function, const char *reason)
{
	HvrHold *hold = g_new0(HvrHold, 1);
	g_autoptr(HvrUser) caller = hvr_user_caller();

	hold->path = hvr_hold_path_of(function);
	hold->id = hvr_hold_id_of(function);
	hold->address = g_strdup(function->name);
	hold->reason = g_strdup(reason);
	hold->by = g_strdup(caller->name);
	hold->since = g_get_real_time() / G_USEC_PER_SEC;
	return hold;
}

gboolean hvr_hold_is_reason(const char *text)
{
	if (!text || strlen(text) > HVR_HOLD_REASON_MAX || !g_utf8_validate(text, -1, NULL))
		return FALSE;
	for (const char *c = text; *c; c = g_utf8_next_char(c))
		if (!hvr_text_is_harmless(g_utf8_get_char(c)))
			return FALSE;
	return text[strspn(text, " \t")] != '\0';
}

static char *file_name(const HvrHold *hold)
{
	g_autofree char *path = g_strdelimit(g_strdup(hold->path), "/", '+');

	return g_strconcat(path, "@", hold->id, NULL);
}

/* What the name of a file says; NULL: it is no hold's. */
static HvrHold *parse_name(const char *name)
{
	const char *at = strrchr(name, '@');
	HvrPciAddress address;
	guint vendor, device;
	char end;

	if (!at || sscanf(at, "@%4x:%4x%c", &vendor, &device, &end) != 2)
		return NULL;
	g_autofree char *text = g_strdelimit(g_strndup(name, (gsize)(at - name)), "+", '/');
	g_autofree char *path = hvr_pci_path_normalise(text);
	if (!path && (*text != '=' || !hvr_pci_address_parse(text + 1, &address)))
		return NULL;
	HvrHold *hold = g_new0(HvrHold, 1);
	hold->path = g_strdup(path ? path : text);
	hold->id = g_strdup(at + 1);
	return hold;
}

/* Root wrote it, but what is shown is looked at all the same. */
static void parse_text(HvrHold *hold, const char *text)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	HvrPciAddress address;

	if (text && !g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, NULL))
		text = NULL;
	hold->reason = g_key_file_get_string(file, GROUP, KEY_REASON, NULL);
	if (!text || !hvr_hold_is_reason(hold->reason)) {
		g_free(hold->reason);
		hold->reason = g_strdup("why cannot be read in " HVR_LASTING_PATH "/" FOLDER);
	}
	hold->address = g_key_file_get_string(file, GROUP, KEY_ADDRESS, NULL);
	if (hold->address && !hvr_pci_address_parse(hold->address, &address))
		g_clear_pointer(&hold->address, g_free);
	hold->by = g_key_file_get_string(file, GROUP, KEY_BY, NULL);
	hold->itself = g_key_file_get_boolean(file, GROUP, KEY_ITSELF, NULL);
	hold->since = g_key_file_get_int64(file, GROUP, KEY_SINCE, NULL);
}

GPtrArray *hvr_holds_read(const HvrContext *context, GError **error)
{
	g_autoptr(GPtrArray) holds = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_hold_free);
	GError *cause = NULL;
	g_auto(HvrFd) folder = hvr_lasting_open(context, FOLDER, FALSE, &cause);

	if (cause) {
		g_propagate_error(error, cause);
		return NULL;
	}
	if (folder < 0)
		return g_steal_pointer(&holds);
	g_autoptr(GPtrArray) names = hvr_tree_list(folder, ".");
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		HvrHold *hold = parse_name(name);
		if (!hold)
			continue;
		g_autofree char *text = hvr_tree_read(folder, name, NULL);
		parse_text(hold, text);
		g_ptr_array_add(holds, hold);
	}
	return g_steal_pointer(&holds);
}

gboolean hvr_hold_is_of(const HvrHold *hold, const HvrPciFunction *function)
{
	g_autofree char *path = hvr_hold_path_of(function);
	g_autofree char *id = hvr_hold_id_of(function);

	return g_str_equal(hold->path, path) && g_str_equal(hold->id, id);
}

const HvrHold *hvr_holds_find(const GPtrArray *holds, const HvrPciFunction *function)
{
	for (guint i = 0; holds && i < holds->len; i++) {
		const HvrHold *hold = g_ptr_array_index(holds, i);
		if (hvr_hold_is_of(hold, function))
			return hold;
	}
	return NULL;
}

gboolean hvr_hold_write(const HvrContext *context, const HvrHold *hold, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *name = file_name(hold);
	g_auto(HvrFd) folder = hvr_lasting_open(context, FOLDER, TRUE, error);

	if (folder < 0)
		return FALSE;
	if (hold->address)
		g_key_file_set_string(file, GROUP, KEY_ADDRESS, hold->address);
	g_key_file_set_string(file, GROUP, KEY_REASON, hold->reason);
	if (hold->by)
		g_key_file_set_string(file, GROUP, KEY_BY, hold->by);
	g_key_file_set_boolean(file, GROUP, KEY_ITSELF, hold->itself);
	g_key_file_set_int64(file, GROUP, KEY_SINCE, hold->since);
	g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
	return hvr_runtime_replace_mode(folder, name, text, 0644, error);
}

gboolean hvr_hold_remove(const HvrContext *context, const HvrHold *hold, GError **error)
{
	g_autofree char *name = file_name(hold);
	GError *cause = NULL;
	g_auto(HvrFd) folder = hvr_lasting_open(context, FOLDER, FALSE, &cause);

	if (cause) {
		g_propagate_error(error, cause);
		return FALSE;
	}
	return folder < 0 || hvr_runtime_remove(folder, name, error);
}

char *hvr_hold_describe(const HvrHold *hold)
{
	g_autoptr(GString) text = g_string_new("held");

	if (hold->since > 0) {
		g_autoptr(GDateTime) since = g_date_time_new_from_unix_local(hold->since);
		g_autofree char *when =
			since ? g_date_time_format(since, "%Y-%m-%d %H:%M") : g_strdup("?");
		g_string_append_printf(text, " since %s", when);
	}
	if (hold->itself)
		g_string_append(text, " by itself");
	else if (hold->by)
		g_string_append_printf(text, " by %s", hold->by);
	g_string_append_printf(text, ": %s", hold->reason);
	return g_strdup(text->str);
}

void hvr_hold_set_error(const HvrHold *hold, const HvrPciFunction *function, GError **error)
{
	g_autofree char *text = hvr_hold_describe(hold);

	g_set_error_literal(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, text);
	hvr_error_hint(error, "when it may be used again: hailo-vm-run unhold %s", function->name);
}
