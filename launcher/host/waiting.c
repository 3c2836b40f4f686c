/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/host/waiting.h"

#include <string.h>

#include "launcher/report/events.h"
#include "launcher/report/json.h"
#include "launcher/runtime/lock.h"

/* The first function of the group that @lock is of; NULL: it is none, or a place in the queue. */
static const char *address_of(const HvrInventory *inventory, const char *lock)
{
	const GPtrArray *functions = hvr_inventory_functions(inventory);

	for (guint i = 0; i < functions->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(functions, i);
		g_autofree char *name = hvr_lock_name_group(function->group);
		if (function->group >= 0 && g_str_equal(name, lock))
			return function->name;
	}
	return NULL;
}

void hvr_waiting_tell(const HvrContext *context, const HvrInventory *inventory,
		      const GPtrArray *busy, const GError *cause, char **told)
{
	const char *lock = busy->len ? g_ptr_array_index(busy, 0) : "";
	g_auto(HvrLockHolder) holder = { 0 };
	g_auto(GStrv) parts = g_strsplit(cause->message, "\n", 2);
	JsonObject *members;

	if (g_strcmp0(*told, parts[0]) == 0)
		return;
	g_free(*told);
	*told = g_strdup(parts[0]);
	if (*lock)
		hvr_lock_holder(&context->host, context->runtime, lock, &holder);
	members = json_object_new();
	hvr_json_set_string(members, "address", address_of(inventory, lock));
	hvr_json_set_string(members, "holder", holder.vm);
	json_object_set_int_member(members, "pid", holder.pid.pid);
	hvr_json_set_string(members, "cause", parts[0]);
	hvr_events_tell_object(context->events, "waiting", members);
	g_autofree char *text = g_strconcat("waiting: ", parts[0], NULL);
	if (context->host.tell)
		context->host.tell(text);
}
