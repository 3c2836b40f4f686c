/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A supervisor, a launcher whose QEMU did not start, and a command that stands in for either end a
 * VM the same way.
 */
#include "launcher/session/ending.h"

#include "launcher/session/events.h"
#include "launcher/host/giveback.h"
#include "launcher/host/lock.h"

gboolean hvr_ending_give_back(const HvrContext *context, const HvrVm *vm, GError **error)
{
	g_autoptr(GPtrArray) entries = hvr_journal_list(context->runtime, NULL);
	g_autoptr(GPtrArray) ours = hvr_giveback_of_vm(entries, vm->name);
	g_autoptr(GPtrArray) kept = g_ptr_array_new();
	g_autoptr(GPtrArray) restored = g_ptr_array_new();

	for (guint i = 0; i < ours->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(ours, i);
		gboolean keep = FALSE;
		for (guint k = 0; k < vm->devices->len; k++) {
			const HvrVmDevice *device = g_ptr_array_index(vm->devices, k);
			keep = keep || (device->keep && device->group == entry->group);
		}
		g_ptr_array_add(keep ? kept : restored, entry);
	}
	g_autoptr(GError) cause = NULL;
	gboolean well = hvr_giveback(context, restored, HVR_GIVEBACK_RESTORE, &cause);
	well = hvr_giveback(context, kept, HVR_GIVEBACK_KEEP, well ? &cause : NULL) && well;
	hvr_events_tell(context->events, "released", "error", cause ? cause->message : NULL);
	if (cause)
		g_propagate_error(error, g_steal_pointer(&cause));
	return well;
}

gboolean hvr_ending_finish(const HvrContext *context, const HvrVm *vm, GPtrArray *locks,
			   GError **error)
{
	gboolean well = hvr_ending_give_back(context, vm, error);

	hvr_vm_remove_folder(context->runtime, vm->name);
	for (guint i = locks->len; i > 0; i--)
		hvr_lock_release(g_ptr_array_steal_index(locks, i - 1));
	return well;
}
