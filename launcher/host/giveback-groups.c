/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What entries alone do not say is who may act on them: whoever has the lock of their group. Until
 * that is held, what was read of them may be over, so it is read again.
 *
 * The locks of all groups come first and are held to the end: cards are given back in one order
 * over all of them.
 */
#include "launcher/host/giveback-groups.h"

#include "launcher/report/error.h"
#include "launcher/runtime/lock.h"

GPtrArray *hvr_giveback_still_there(const HvrContext *context, const GPtrArray *entries)
{
	g_autoptr(GPtrArray) now = hvr_journal_list(context->runtime, NULL);
	GPtrArray *still = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_journal_entry_free);

	for (guint i = 0; i < entries->len; i++) {
		const HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		HvrJournalEntry *there = hvr_journal_find(now, &entry->address);
		guint index = 0;
		if (!there || g_strcmp0(entry->vm, there->vm) != 0 ||
		    entry->owner.pid != there->owner.pid ||
		    entry->owner.start_time != there->owner.start_time)
			continue;
		g_ptr_array_find(now, there, &index);
		g_ptr_array_add(still, g_ptr_array_steal_index(now, index));
	}
	return still;
}

static gboolean is_locked(const GPtrArray *locks, const HvrJournalEntry *entry)
{
	g_autofree char *name = hvr_lock_name_group(entry->group);
	return locks && hvr_lock_find(locks, name) != NULL;
}

/* Takes the locks that are not in @held. A group that somebody else has is told once, in
 * @results. */
static GPtrArray *lock_rest(const HvrContext *context, const GPtrArray *entries,
			    const GPtrArray *held, GPtrArray *results)
{
	GPtrArray *rest = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_lock_release);
	g_autoptr(GHashTable) asked = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < entries->len; i++) {
		const HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		g_autofree char *name = hvr_lock_name_group(entry->group);
		GError *error = NULL;
		if (is_locked(held, entry) ||
		    !g_hash_table_add(asked, GINT_TO_POINTER(entry->group + 1)))
			continue;
		HvrLock *lock = hvr_lock_try(&context->host, context->runtime, name, NULL, &error);
		if (lock) {
			g_ptr_array_add(rest, lock);
			continue;
		}
		g_prefix_error(&error, "%s: ", entry->name);
		g_ptr_array_add(results, hvr_giveback_result_new(entry, error));
	}
	return rest;
}

GPtrArray *hvr_giveback_groups(const HvrContext *context, const GPtrArray *entries,
			       const GPtrArray *locks, const HvrGivebackHow *how)
{
	g_autoptr(GPtrArray) busy = g_ptr_array_new_with_free_func(hvr_giveback_result_free);
	g_autoptr(GPtrArray) rest = lock_rest(context, entries, locks, busy);
	g_autoptr(GPtrArray) still = hvr_giveback_still_there(context, entries);
	g_autoptr(GPtrArray) ours = g_ptr_array_new();

	for (guint i = 0; i < still->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(still, i);
		if (is_locked(locks, entry) || is_locked(rest, entry))
			g_ptr_array_add(ours, entry);
	}
	GPtrArray *results = hvr_giveback_each(context, ours, how);
	while (busy->len)
		g_ptr_array_add(results, g_ptr_array_steal_index(busy, 0));
	return results;
}

gboolean hvr_giveback_is_elsewhere(const HvrGivebackResult *result)
{
	return g_error_matches(result->error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY);
}

guint hvr_giveback_dead(const HvrContext *context, GPtrArray **out_problems)
{
	const HvrGivebackHow how = { .mode = HVR_GIVEBACK_RESTORE };
	g_autoptr(GPtrArray) entries = hvr_journal_list(context->runtime, out_problems);
	g_autoptr(GPtrArray) dead = g_ptr_array_new();
	guint given = 0;

	for (guint i = 0; i < entries->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		if (entry->owner.pid != 0 && !hvr_process_alive(&context->host, &entry->owner))
			g_ptr_array_add(dead, entry);
	}
	g_autoptr(GPtrArray) results = hvr_giveback_groups(context, dead, NULL, &how);
	for (guint i = 0; i < results->len; i++) {
		const HvrGivebackResult *result = g_ptr_array_index(results, i);
		if (result->as_before)
			given++;
		else if (out_problems && result->error && !hvr_giveback_is_elsewhere(result))
			g_ptr_array_add(*out_problems, g_strdup(result->error->message));
		else if (out_problems && result->where)
			g_ptr_array_add(*out_problems,
					g_strdup_printf("%s: %s", result->name, result->where));
	}
	return given;
}
