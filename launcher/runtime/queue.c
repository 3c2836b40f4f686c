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

/* A ticket that says nothing yet is of somebody who has just come: behind everybody who looks. */
static gboolean wants_group(const HvrContext *context, const char *name, int group)
{
	g_autofree char *path = g_strconcat("locks/", name, NULL);
	g_autofree char *text = hvr_tree_read(context->runtime, path, NULL);
	g_autoptr(GKeyFile) file = g_key_file_new();
	gsize n = 0;

	if (!text || !g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, NULL))
		return FALSE;
	g_autofree gint *groups =
		g_key_file_get_integer_list(file, HVR_LOCK_EXTRA, KEY_GROUPS, &n, NULL);
	for (gsize i = 0; groups && i < n; i++)
		if (groups[i] == group)
			return TRUE;
	return FALSE;
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
