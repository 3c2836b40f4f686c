/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A supervisor, a launcher whose QEMU did not start, and a command that stands in for either end a
 * VM the same way.
 */
#include "launcher/session/ending.h"

#include "launcher/host/giveback-groups.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/report/message.h"
#include "launcher/runtime/lock.h"

/* Keeps the first thing that is not as it should be in @out_first, as a text for `--events`.
 * Errors: the first failure; a function that is elsewhere now is a warning. */
static gboolean tell(const GPtrArray *results, char **out_first, GError **error)
{
	gboolean well = TRUE;

	for (guint i = 0; i < results->len; i++) {
		HvrGivebackResult *result = g_ptr_array_index(results, i);
		g_autofree char *text = NULL;
		if (hvr_giveback_is_elsewhere(result))
			continue;
		if (result->error)
			text = g_strdup(result->error->message);
		else if (result->where && !result->as_before)
			text = g_strdup_printf("%s: %s", result->name, result->where);
		if (!text)
			continue;
		if (!result->error) {
			hvr_message("warning: %s", text);
		} else {
			if (well)
				g_propagate_error(error, g_steal_pointer(&result->error));
			well = FALSE;
		}
		if (!*out_first)
			*out_first = g_steal_pointer(&text);
	}
	return well;
}

gboolean hvr_ending_give_back(const HvrContext *context, const HvrVm *vm, const GPtrArray *locks,
			      GError **error)
{
	const HvrGivebackHow to_host = { .mode = HVR_GIVEBACK_RESTORE };
	const HvrGivebackHow keep = { .mode = HVR_GIVEBACK_KEEP };
	g_autoptr(GPtrArray) entries = hvr_journal_list(context->runtime, NULL);
	g_autoptr(GPtrArray) ours = hvr_giveback_of_vm(entries, vm->name);
	g_autoptr(GPtrArray) kept = g_ptr_array_new();
	g_autoptr(GPtrArray) back = g_ptr_array_new();
	g_autofree char *first = NULL;

	for (guint i = 0; i < ours->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(ours, i);
		if (hvr_vm_keeps_group(vm, entry->group))
			g_ptr_array_add(kept, entry);
		else
			g_ptr_array_add(back, entry);
	}
	g_autoptr(GPtrArray) returned = hvr_giveback_groups(context, back, locks, &to_host);
	g_autoptr(GPtrArray) stayed = hvr_giveback_groups(context, kept, locks, &keep);
	gboolean well = tell(returned, &first, error);
	well = tell(stayed, &first, well ? error : NULL) && well;
	hvr_events_tell(context->events, "released", "error", first);
	return well;
}

/* What is left over counts more for the status, as for `run` itself; why it ended is said all the
 * same. */
static void put_away(const HvrContext *context, const HvrVm *vm, const HvrEndedHow *how,
		     const GError *left)
{
	HvrEndedHow told = *how;
	g_autofree char *why = NULL;

	if (left) {
		why = g_strdup_printf("%s; %s", how->why, left->message);
		told = (HvrEndedHow){ .why = why, .status = hvr_exit_status(left) };
	}
	hvr_ended_keep(context, vm, &told);
}

gboolean hvr_ending_finish(const HvrContext *context, const HvrVm *vm, const HvrEndedHow *how,
			   GPtrArray *locks, GError **error)
{
	GError *left = NULL;
	gboolean well = hvr_ending_give_back(context, vm, locks, &left);

	put_away(context, vm, how, left);
	if (left)
		g_propagate_error(error, left);
	for (guint i = locks->len; i > 0; i--)
		hvr_lock_release(g_ptr_array_steal_index(locks, i - 1));
	return well;
}
