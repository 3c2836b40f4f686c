/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/host/waiting.h"

#include <string.h>
#include <unistd.h>

#include "launcher/report/events.h"
#include "launcher/report/json.h"
#include "launcher/report/progress.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/queue.h"

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

void hvr_waiting_begin(void)
{
	hvr_progress_begin("waiting for a card");
}

static gboolean wants_same(const HvrWaiter *one, const HvrWaiter *other)
{
	for (guint i = 0; i < one->groups->len; i++)
		for (guint k = 0; k < other->groups->len; k++)
			if (g_array_index(one->groups, int, i) ==
			    g_array_index(other->groups, int, k))
				return TRUE;
	return FALSE;
}

void hvr_waiting_show_place(const HvrContext *context)
{
	g_autoptr(GPtrArray) waiters = hvr_queue_list(context);
	const HvrWaiter *own = NULL;
	guint before = 0, all = 0;

	for (guint i = 0; i < waiters->len && !own; i++) {
		const HvrWaiter *waiter = g_ptr_array_index(waiters, i);
		if (waiter->pid == getpid())
			own = waiter;
	}
	for (guint i = 0, behind = 0; own && i < waiters->len; i++) {
		const HvrWaiter *waiter = g_ptr_array_index(waiters, i);
		behind = behind || waiter == own;
		if (waiter != own && !wants_same(own, waiter))
			continue;
		all++;
		before += !behind;
	}
	if (!own)
		return;
	g_autofree char *text = g_strdup_printf("place %u of %u in the queue", before + 1, all);
	const HvrProgressStage stage = { .text = text };
	hvr_progress_stage(&stage);
}

gboolean hvr_waiting_wait(HvrLockWatch *watch, const GPtrArray *busy, gint64 deadline_us)
{
	for (;;) {
		gint64 turn_us = hvr_progress_turn(), until_us = deadline_us;
		if (turn_us && (!deadline_us || turn_us < deadline_us))
			until_us = turn_us;
		if (hvr_lock_watch_wait(watch, busy, until_us))
			return TRUE;
		/* Before its time: somebody asks us to stop. */
		if (until_us == deadline_us || g_get_monotonic_time() < until_us)
			return FALSE;
	}
}
