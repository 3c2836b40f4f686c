/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/command/status-ended.h"

#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "launcher/report/message.h"
#include "launcher/report/text.h"
#include "launcher/runtime/others.h"

static void add(GPtrArray *all, GPtrArray *some, const char *name)
{
	for (guint i = 0; i < some->len; i++) {
		HvrOtherEnded *other = g_ptr_array_index(some, i);
		if (name && !g_str_equal(other->ended->name, name))
			continue;
		g_ptr_array_add(all, other);
		some->pdata[i] = NULL;
	}
}

GPtrArray *hvr_status_ended_find(const HvrContext *context, const char *name)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_other_ended_free);
	g_autoptr(GPtrArray) own = hvr_ended_list(context);
	g_autoptr(GPtrArray) others = hvr_others_ended(context);

	for (guint i = 0; i < own->len; i++) {
		HvrEnded *ended = g_ptr_array_index(own, i);
		if (name && !g_str_equal(ended->name, name))
			continue;
		HvrOtherEnded *one = g_new0(HvrOtherEnded, 1);
		one->ended = ended;
		own->pdata[i] = NULL;
		g_ptr_array_add(all, one);
	}
	add(all, others, name);
	return all;
}

JsonArray *hvr_status_ended_to_json(const GPtrArray *ended)
{
	JsonArray *array = json_array_new();

	for (guint i = 0; i < ended->len; i++) {
		const HvrOtherEnded *other = g_ptr_array_index(ended, i);
		const HvrEnded *one = other->ended;
		JsonObject *item = json_object_new();
		json_object_set_string_member(item, "name", one->name);
		json_object_set_string_member(item, "reason", one->why);
		if (one->status >= 0)
			json_object_set_int_member(item, "status", one->status);
		else
			json_object_set_null_member(item, "status");
		hvr_json_set_string(item, "user", other->user ? other->user : one->by);
		json_object_set_int_member(item, "since", one->since);
		json_object_set_int_member(item, "until", one->until);
		json_array_add_object_element(array, item);
	}
	return array;
}

void hvr_status_ended_print(const GPtrArray *ended)
{
	for (guint i = 0; i < ended->len; i++) {
		const HvrOtherEnded *other = g_ptr_array_index(ended, i);
		const HvrEnded *one = other->ended;
		g_autofree char *how = hvr_ended_text(one);
		g_autoptr(GString) text = g_string_new(NULL);

		g_string_append_printf(text, "%s: %s", one->name, how);
		if (one->status > 0)
			g_string_append_printf(text, " (exit status %d)", one->status);
		if (other->user)
			g_string_append_printf(text, ", of user %s", other->user);
		g_string_append_c(text, '\n');
		hvr_text_print(text->str);
	}
}

static int refuse(const HvrContext *context, const char *name, GError **error)
{
	g_autoptr(HvrEnded) left = hvr_ended_find(context, name);

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "nothing of a VM named '%s' can be forgotten", name);
	if (left)
		hvr_error_hint(error, "nobody has given back yet what it had: hailo-vm-run "
				      "release --all");
	else
		hvr_error_hint(error, "those that have ended: hailo-vm-run status --json");
	return -1;
}

int hvr_status_forget(const HvrContext *context, const char *name, GError **error)
{
	g_autoptr(GPtrArray) all = NULL;
	guint forgotten = 0;

	if (name && hvr_ended_forget(context, name))
		return 0;
	if (name)
		return refuse(context, name, error);
	all = hvr_ended_list(context);
	for (guint i = 0; i < all->len; i++) {
		const HvrEnded *ended = g_ptr_array_index(all, i);
		if (hvr_ended_forget(context, ended->name))
			forgotten++;
	}
	hvr_message("forgot %u VM%s", forgotten, forgotten == 1 ? "" : "s");
	return 0;
}
