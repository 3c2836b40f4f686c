/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A supervisor, a launcher whose QEMU did not start, and a command that stands in for either end a
 * VM the same way.
 */
#include "launcher/session/ending.h"

#include "launcher/host/giveback.h"
#include "launcher/report/events.h"
#include "launcher/runtime/lock.h"

static gboolean is_locked(const GPtrArray *locks, const HvrJournalEntry *entry)
{
	g_autofree char *name = hvr_lock_name_group(entry->group);
	return hvr_lock_find(locks, name) != NULL;
}

/* The locks of the entries' groups that are not in @locks, as far as nobody has them. */
static GPtrArray *lock_rest(const HvrContext *context, const GPtrArray *entries,
			    const GPtrArray *locks)
{
	GPtrArray *rest = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_lock_release);

	for (guint i = 0; i < entries->len; i++) {
		const HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		g_autofree char *name = hvr_lock_name_group(entry->group);
		if (is_locked(locks, entry) || is_locked(rest, entry))
			continue;
		HvrLock *lock = hvr_lock_try(&context->host, context->runtime, name, NULL, NULL);
		if (lock)
			g_ptr_array_add(rest, lock);
	}
	return rest;
}

static gboolean is_kept(const HvrVm *vm, const HvrJournalEntry *entry)
{
	for (guint i = 0; i < vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(vm->devices, i);
		if (device->keep && device->group == entry->group)
			return TRUE;
	}
	return FALSE;
}

gboolean hvr_ending_give_back(const HvrContext *context, const HvrVm *vm, const GPtrArray *locks,
			      GError **error)
{
	g_autoptr(GPtrArray) entries = hvr_journal_list(context->runtime, NULL);
	g_autoptr(GPtrArray) ours = hvr_giveback_of_vm(entries, vm->name);
	g_autoptr(GPtrArray) rest = lock_rest(context, ours, locks);
	g_autoptr(GPtrArray) now = NULL;
	g_autoptr(GPtrArray) kept = g_ptr_array_new();
	g_autoptr(GPtrArray) back = g_ptr_array_new();

	/* What was read of those before they were locked may be over. */
	if (rest->len)
		now = hvr_giveback_still_there(context, ours);
	else
		now = g_ptr_array_ref(ours);
	for (guint i = 0; i < now->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(now, i);
		if (!is_locked(locks, entry) && !is_locked(rest, entry))
			continue;
		if (is_kept(vm, entry))
			g_ptr_array_add(kept, entry);
		else
			g_ptr_array_add(back, entry);
	}
	g_autoptr(GError) cause = NULL;
	gboolean well = hvr_giveback(context, back, HVR_GIVEBACK_RESTORE, &cause);
	well = hvr_giveback(context, kept, HVR_GIVEBACK_KEEP, well ? &cause : NULL) && well;
	hvr_events_tell(context->events, "released", "error", cause ? cause->message : NULL);
	if (cause)
		g_propagate_error(error, g_steal_pointer(&cause));
	return well;
}

gboolean hvr_ending_finish(const HvrContext *context, const HvrVm *vm, GPtrArray *locks,
			   GError **error)
{
	gboolean well = hvr_ending_give_back(context, vm, locks, error);

	hvr_vm_remove_folder(context->runtime, vm->name);
	for (guint i = locks->len; i > 0; i--)
		hvr_lock_release(g_ptr_array_steal_index(locks, i - 1));
	return well;
}
