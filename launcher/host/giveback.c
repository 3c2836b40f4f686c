/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back to the host: entry + present state -> steps -> done -> entry removed.
 *
 * The steps are the difference between what was and what is, so a way back that was cut anywhere
 * is just begun again.
 */
#include "launcher/host/giveback.h"

#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/runtime/lock.h"
#include "vfio/access.h"
#include "vfio/error.h"
#include "vfio/lifecycle.h"

#define NODE_MODE 0600

/* How entries are given back, one after the other. */
typedef struct {
	const HvrContext *context;
	const HvrInventory *inventory;
	HvrGivebackMode mode;
	const HvrPciState *found; /* what a card that was prepared already goes back to; or NULL */
} GiveBack;

GPtrArray *hvr_giveback_of_vm(const GPtrArray *entries, const char *vm)
{
	GPtrArray *found = g_ptr_array_new();

	for (guint i = 0; i < entries->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		if (g_strcmp0(entry->vm, vm) == 0)
			g_ptr_array_add(found, entry);
	}
	return found;
}

GPtrArray *hvr_giveback_of_group(const GPtrArray *entries, int group)
{
	GPtrArray *found = g_ptr_array_new();

	for (guint i = 0; i < entries->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		if (entry->group == group)
			g_ptr_array_add(found, entry);
	}
	return found;
}

static void keep_first(GError **first, GError *next)
{
	if (first && !*first)
		*first = next;
	else
		g_error_free(next);
}

/* Every step is tried: what can be put right is put right. Returns whether all went well. */
static gboolean perform_all(const HvrContext *context, const GPtrArray *steps, GError **error)
{
	gboolean well = TRUE;

	for (guint i = 0; i < steps->len; i++) {
		GError *cause = NULL;
		if (hvr_step_perform(&context->host, g_ptr_array_index(steps, i),
				     hvr_host_timeout_ms(&context->host), &cause))
			continue;
		keep_first(error, cause);
		well = FALSE;
	}
	return well;
}

/* The node is nobody's, or whose it was when the card came on vfio-pci already: a host that was set
 * up so gives it to a group, and udev would not do it again for a node that stays. */
static void add_keep_steps(const HvrPciFunction *function, const HvrPciState *saved,
			   const HvrPciState *now, GPtrArray *steps)
{
	HvrNodeOwner owner = { .mode = NODE_MODE };

	if (saved->has_node)
		owner = (HvrNodeOwner){ .uid = saved->node_uid,
					.gid = saved->node_gid,
					.mode = saved->node_mode };
	if (now->has_node && (now->node_uid != owner.uid || now->node_gid != owner.gid ||
			      now->node_mode != owner.mode))
		g_ptr_array_add(steps,
				hvr_step_new_own_node(function, owner.uid, owner.gid, owner.mode));
}

/* The kernel no longer offers a reset method that it once did: the one thing that may be left. */
static void warn_reset_method(const HvrContext *context, const HvrPciFunction *function,
			      const HvrJournalEntry *entry)
{
	g_autoptr(HvrPciState) now = hvr_pci_state_read(&context->host, function, NULL);

	if (now && g_strcmp0(now->reset_method, entry->saved->reset_method) != 0)
		hvr_message("warning: %s: reset_method was '%s'; the kernel now offers '%s' only",
			    entry->name, entry->saved->reset_method, now->reset_method);
}

static gboolean give_one_back(const GiveBack *way, HvrJournalEntry *entry, GError **error)
{
	const HvrContext *context = way->context;
	const HvrPciFunction *function = hvr_inventory_find(way->inventory, &entry->address);

	/* It is gone, or another card has its address. */
	if (!function || function->vendor != entry->vendor || function->device != entry->device)
		return hvr_journal_remove(context->runtime, &entry->address, error);

	g_autoptr(HvrPciState) now = hvr_pci_state_read(&context->host, function, error);
	g_autoptr(GPtrArray) steps = hvr_steps_new();
	if (!now)
		return FALSE;
	if (way->found)
		hvr_lifecycle_restore(function, way->found, now, steps);
	else if (way->mode == HVR_GIVEBACK_KEEP)
		add_keep_steps(function, entry->saved, now, steps);
	else
		hvr_lifecycle_restore(function, entry->saved, now, steps);
	if (!perform_all(context, steps, error))
		return FALSE;
	if (way->mode == HVR_GIVEBACK_RESTORE) {
		warn_reset_method(context, function, entry);
		return hvr_journal_remove(context->runtime, &entry->address, error);
	}
	g_clear_pointer(&entry->vm, g_free);
	g_clear_pointer(&entry->id, g_free);
	entry->owner = (HvrProcess){ 0 };
	return hvr_journal_write(context->runtime, entry, error);
}

static gboolean check_closed(const HvrContext *context, const GPtrArray *entries, GError **error)
{
	for (guint i = 0; i < entries->len; i++) {
		const HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		gboolean open = FALSE;
		GError *cause = NULL;
		if (!hvr_access_is_open(&context->host, hvr_access_of_group(entry->group), &open,
					&cause)) {
			g_propagate_prefixed_error(error, cause,
						   "%s: cannot be given back: ", entry->name);
			hvr_error_hint(error, "when that is mended: hailo-vm-run release %s",
				       entry->name);
			return FALSE;
		}
		if (!open)
			continue;
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_BUSY,
			    "%s: cannot be given back: a process still has its IOMMU group %d open",
			    entry->name, entry->group);
		hvr_error_hint(error, "end that VM, then: hailo-vm-run release %s", entry->name);
		return FALSE;
	}
	return TRUE;
}

static int compare_entries(gconstpointer a, gconstpointer b)
{
	const HvrJournalEntry *const *left = a, *const *right = b;

	return hvr_pci_state_compare_devnodes((*left)->saved, (*right)->saved);
}

/* The last one that was taken first, but cards in the order of their nodes: the sort is stable. */
GPtrArray *hvr_giveback_order(const GPtrArray *entries)
{
	GPtrArray *order = g_ptr_array_new();

	for (guint i = entries->len; i > 0; i--)
		g_ptr_array_add(order, g_ptr_array_index(entries, i - 1));
	g_ptr_array_sort(order, compare_entries);
	return order;
}

/* @way: all but the inventory, which is read when nobody has any of it open */
static gboolean give_back(GiveBack way, const GPtrArray *entries, GError **error)
{
	gboolean well = TRUE;

	if (entries->len == 0)
		return TRUE;
	if (!check_closed(way.context, entries, error))
		return FALSE;
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&way.context->host, error);
	g_autoptr(GPtrArray) order = hvr_giveback_order(entries);
	if (!inventory)
		return FALSE;

	way.inventory = inventory;
	for (guint i = 0; i < order->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(order, i);
		GError *cause = NULL;
		if (give_one_back(&way, entry, &cause))
			continue;
		well = FALSE;
		hvr_error_hint(&cause, "when that is mended: hailo-vm-run release %s", entry->name);
		keep_first(error, cause);
	}
	return well;
}

gboolean hvr_giveback(const HvrContext *context, const GPtrArray *entries, HvrGivebackMode mode,
		      GError **error)
{
	const GiveBack way = { .context = context, .mode = mode };

	return give_back(way, entries, error);
}

gboolean hvr_giveback_one(const HvrContext *context, HvrJournalEntry *entry,
			  const HvrPciState *found, GError **error)
{
	GiveBack way = { .context = context, .mode = HVR_GIVEBACK_RESTORE };
	g_autoptr(GPtrArray) one = g_ptr_array_new();

	if (found) {
		way.mode = HVR_GIVEBACK_KEEP;
		way.found = found;
	}
	g_ptr_array_add(one, entry);
	return give_back(way, one, error);
}

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

static gboolean give_dead_back(const HvrContext *context, const GPtrArray *entries,
			       const HvrJournalEntry *dead, GError **error)
{
	g_autofree char *name = hvr_lock_name_group(dead->group);
	g_autoptr(GPtrArray) group = hvr_giveback_of_group(entries, dead->group);
	g_autoptr(GPtrArray) theirs = NULL;
	HvrLock *lock = hvr_lock_try(&context->host, context->runtime, name, NULL, error);

	if (!lock)
		return FALSE;
	if (dead->vm)
		theirs = hvr_giveback_of_vm(group, dead->vm);
	else
		theirs = g_ptr_array_ref(group);
	g_autoptr(GPtrArray) still = hvr_giveback_still_there(context, theirs);
	gboolean well = hvr_giveback(context, still, HVR_GIVEBACK_RESTORE, error);
	hvr_lock_release(lock);
	return well;
}

guint hvr_giveback_dead(const HvrContext *context, GPtrArray **out_problems)
{
	g_autoptr(GPtrArray) entries = hvr_journal_list(context->runtime, out_problems);
	guint given = 0;

	for (guint i = 0; i < entries->len; i++) {
		const HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		g_autoptr(GError) error = NULL;
		if (entry->owner.pid == 0 || hvr_process_alive(&context->host, &entry->owner))
			continue;
		if (give_dead_back(context, entries, entry, &error))
			given++;
		else if (!g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY) &&
			 out_problems)
			g_ptr_array_add(*out_problems, g_strdup(error->message));
	}
	return given;
}
