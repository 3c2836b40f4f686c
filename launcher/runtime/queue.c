/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First come, first served.
 *
 * Every waiter hears of every group that becomes free, and the scheduler decides who looks first.
 * So a place is kept in a file whose name sorts by the time of arrival (CLOCK_BOOTTIME, which all
 * processes share); as a ticket is a lock, its end is an event for those behind it.
 */
#include "launcher/runtime/queue.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "launcher/runtime/lock.h"
#include "vfio/tree.h"

#define PREFIX	   "wait-"
#define KEY_GROUPS "groups"

struct HvrTicket {
	HvrLock *lock;
};

HvrTicket *hvr_queue_join(const HvrContext *context, const GArray *groups, const char *vm,
			  GError **error)
{
	g_autoptr(GKeyFile) wanted = g_key_file_new();
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	g_autofree char *name = g_strdup_printf(PREFIX "%012" G_GINT64_FORMAT ".%09ld-%d",
						(gint64)now.tv_sec, now.tv_nsec, (int)getpid());
	HvrLock *lock = hvr_lock_try(&context->host, context->runtime, name, vm, error);
	if (!lock)
		return NULL;
	g_key_file_set_integer_list(wanted, HVR_LOCK_EXTRA, KEY_GROUPS,
				    (gint *)(void *)groups->data, groups->len);
	if (!hvr_lock_say(lock, wanted, error)) {
		hvr_lock_release(lock);
		return NULL;
	}
	HvrTicket *ticket = g_new(HvrTicket, 1);
	ticket->lock = lock;
	return ticket;
}

void hvr_queue_leave(HvrTicket *ticket)
{
	if (!ticket)
		return;
	hvr_lock_release(ticket->lock);
	g_free(ticket);
}

/* Of int; empty where a ticket says nothing yet: it is of somebody who has just come, behind
 * everybody who looks. */
static GArray *groups_of(const HvrContext *context, const char *name)
{
	g_autofree char *path = g_strconcat("locks/", name, NULL);
	g_autofree char *text = hvr_tree_read(context->runtime, path, NULL);
	g_autoptr(GKeyFile) file = g_key_file_new();
	GArray *all = g_array_new(FALSE, FALSE, sizeof(int));
	gsize n = 0;

	if (!text || !g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, NULL))
		return all;
	g_autofree gint *groups =
		g_key_file_get_integer_list(file, HVR_LOCK_EXTRA, KEY_GROUPS, &n, NULL);
	if (groups)
		g_array_append_vals(all, groups, (guint)n);
	return all;
}

static gboolean wants_group(const HvrContext *context, const char *name, int group)
{
	g_autoptr(GArray) groups = groups_of(context, name);

	for (guint i = 0; i < groups->len; i++)
		if (g_array_index(groups, int, i) == group)
			return TRUE;
	return FALSE;
}

static void waiter_free(HvrWaiter *waiter)
{
	g_free(waiter->vm);
	g_array_unref(waiter->groups);
	g_free(waiter);
}

GPtrArray *hvr_queue_list(const HvrContext *context)
{
	GPtrArray *waiters = g_ptr_array_new_with_free_func((GDestroyNotify)waiter_free);
	g_autoptr(GPtrArray) names = NULL;

	if (context->runtime < 0)
		return waiters;
	/* Sorted, which is the order of arrival. */
	names = hvr_tree_list(context->runtime, "locks");
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_auto(HvrLockHolder) holder = { 0 };
		if (!g_str_has_prefix(name, PREFIX) ||
		    !hvr_lock_holder(&context->host, context->runtime, name, &holder))
			continue;
		HvrWaiter *waiter = g_new(HvrWaiter, 1);
		*waiter = (HvrWaiter){ .vm = g_steal_pointer(&holder.vm),
				       .pid = holder.pid.pid,
				       .since = holder.since,
				       .groups = groups_of(context, name) };
		g_ptr_array_add(waiters, waiter);
	}
	return waiters;
}

gboolean hvr_queue_turn(const HvrContext *context, const HvrTicket *ticket, int group,
			GPtrArray *busy, GError **error)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(context->runtime, "locks");

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_auto(HvrLockHolder) holder = { 0 };
		if (!g_str_has_prefix(name, PREFIX))
			continue;
		if (ticket && strcmp(name, hvr_lock_name(ticket->lock)) >= 0)
			continue;
		if (!wants_group(context, name, group) ||
		    !hvr_lock_holder(&context->host, context->runtime, name, &holder))
			continue;
		if (busy)
			g_ptr_array_add(busy, g_strdup(name));
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
			    "VM '%s', pid %d, has waited for it longer",
			    holder.vm ? holder.vm : "?", (int)holder.pid.pid);
		return FALSE;
	}
	return TRUE;
}
