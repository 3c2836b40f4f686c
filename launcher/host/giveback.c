/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Back to the host: entry + present state -> steps -> done -> entry removed.
 *
 * The steps are the difference between what was and what is, so a way back that was cut anywhere
 * is just begun again.
 */
#include "launcher/host/giveback.h"

#include "launcher/host/card-audit.h"
#include "launcher/host/health.h"
#include "launcher/host/inuse.h"
#include "launcher/host/whereabouts.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "vfio/error.h"
#include "vfio/guard.h"
#include "vfio/lifecycle.h"
#include "vfio/tree.h"

#define NODE_MODE    0600
#define RESET_METHOD "/sys/bus/pci/devices/%s/reset_method"

/* How entries are given back, one after the other. */
typedef struct {
	const HvrContext *context;
	const HvrInventory *inventory;
	HvrGivebackMode mode;
	gboolean interruptible, forget; /* as HvrGivebackHow */
	gboolean undo;			/* what its owner has just begun */
	gint64 closed_by_us;		/* until when a last close is waited for */
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

HvrGivebackResult *hvr_giveback_result_new(const HvrJournalEntry *entry, GError *error)
{
	HvrGivebackResult *result = g_new0(HvrGivebackResult, 1);

	result->address = entry->address;
	hvr_pci_address_format(&result->address, result->name);
	result->error = error;
	return result;
}

void hvr_giveback_result_free(gpointer data)
{
	HvrGivebackResult *result = data;

	g_clear_error(&result->error);
	g_free(result->where);
	g_free(result);
}

/* Every step is tried: what can be put right is put right. Errors: the first */
static gboolean perform_all(const HvrContext *context, const GPtrArray *steps, GError **error)
{
	gboolean well = TRUE;

	for (guint i = 0; i < steps->len; i++) {
		GError *cause = NULL;
		if (hvr_step_perform(&context->host, g_ptr_array_index(steps, i),
				     hvr_host_timeout_ms(&context->host), &cause))
			continue;
		if (well)
			g_propagate_error(error, cause);
		else
			g_error_free(cause);
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

/* The kernel no longer offers a reset method that it once did: the one thing that may be left. Of a
 * guard that came or went meanwhile it is said how to have the kernel's own list. */
static void warn_reset_method(const HvrContext *context, const HvrPciFunction *function,
			      const HvrJournalEntry *entry)
{
	g_autoptr(HvrPciState) now = hvr_pci_state_read(&context->host, function, NULL);
	const HvrPciState *was = entry->saved;

	if (!now || !now->reset_method || !was->reset_method)
		return;
	gboolean same = g_strcmp0(now->reset_method, was->reset_method) == 0;
	if (!same && now->guarded && !was->guarded)
		hvr_message(
			"warning: %s: reset_method was '%s' and is '%s': module " HVR_GUARD_MODULE
			" takes bus resets away; when it is unloaded: echo default > " RESET_METHOD,
			entry->name, was->reset_method, now->reset_method, entry->name);
	else if (!same)
		hvr_message("warning: %s: reset_method was '%s'; the kernel now offers '%s' only",
			    entry->name, was->reset_method, now->reset_method);
	else if (was->guarded && !now->guarded && *was->reset_method)
		hvr_message("warning: %s: reset_method is '%s', as it was while "
			    "module " HVR_GUARD_MODULE " took bus resets away; for all that there "
			    "is now: echo default > " RESET_METHOD,
			    entry->name, was->reset_method, entry->name);
}

static gboolean driver_is_there(const HvrContext *context, const char *driver)
{
	return !driver || hvr_driver_exists(&context->host, driver);
}

/* A module that was removed, or upgraded, since the card was taken took its driver with it: the
 * card's own alias names who would have it now, as at boot. Asked for once, and then looked at. */
static void load_driver(const HvrContext *context, const HvrJournalEntry *entry)
{
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s/modalias", entry->name);
	g_autofree char *alias = hvr_tree_read_line(context->host.sys, path);
	g_autoptr(GError) cause = NULL;

	if (driver_is_there(context, entry->saved->driver) || !alias ||
	    !g_str_has_prefix(alias, "pci:"))
		return;
	if (!context->host.kernel->load_module(&context->host, alias, &cause))
		g_debug("%s: %s", entry->name, cause->message);
}

static void add_steps(const GiveBack *way, const HvrPciFunction *function,
		      const HvrJournalEntry *entry, const HvrPciState *now, GPtrArray *steps)
{
	HvrRestore restore = { .saved = entry->saved, .now = now };

	if (way->found)
		restore.saved = way->found;
	else
		restore.driver_gone = !driver_is_there(way->context, entry->saved->driver);
	if (way->mode == HVR_GIVEBACK_KEEP && !way->found)
		add_keep_steps(function, entry->saved, now, steps);
	else
		hvr_lifecycle_restore(function, &restore, steps);
}

/* The card that the entry is about, and no other that has its address now; or NULL. */
static const HvrPciFunction *find_card(const HvrInventory *inventory, const HvrJournalEntry *entry)
{
	const HvrPciFunction *function = hvr_inventory_find(inventory, &entry->address);

	if (function && function->vendor == entry->vendor && function->device == entry->device)
		return function;
	return NULL;
}

/* From what is now: to be done again for as long as that is not as it was. */
static gboolean restore(const GiveBack *way, const HvrPciFunction *function,
			const HvrJournalEntry *entry, GError **error)
{
	g_autoptr(GPtrArray) steps = hvr_steps_new();
	g_autoptr(HvrPciState) now = NULL;

	if (way->mode == HVR_GIVEBACK_RESTORE)
		load_driver(way->context, entry);
	now = hvr_pci_state_read(&way->context->host, function, error);
	if (!now)
		return FALSE;
	add_steps(way, function, entry, now, steps);
	return perform_all(way->context, steps, error);
}

static gboolean is_on_bus(const HvrContext *context, const HvrPciFunction *function)
{
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s", function->name);
	return hvr_tree_exists(context->host.sys, path);
}

static gboolean give_one_back(const GiveBack *way, HvrJournalEntry *entry, GError **error)
{
	const HvrContext *context = way->context;
	const HvrPciFunction *function = find_card(way->inventory, entry);
	GError *cause = NULL;

	/* The driver may go while we are at it: the second time it is known to be gone. */
	gboolean well = !function || restore(way, function, entry, &cause);
	if (!well && !driver_is_there(context, entry->saved->driver)) {
		g_clear_error(&cause);
		well = restore(way, function, entry, &cause);
	}
	if (!function || (!well && !is_on_bus(context, function))) {
		g_clear_error(&cause);
		return hvr_journal_remove(context->runtime, &entry->address, error);
	}
	if (!well) {
		g_propagate_error(error, cause);
		return FALSE;
	}
	if (way->mode == HVR_GIVEBACK_RESTORE) {
		warn_reset_method(context, function, entry);
		return hvr_journal_remove(context->runtime, &entry->address, error);
	}
	g_clear_pointer(&entry->vm, g_free);
	g_clear_pointer(&entry->id, g_free);
	entry->owner = (HvrProcess){ 0 };
	return hvr_journal_write(context->runtime, entry, error);
}

/* Whoever is named has it for as long as they like; else the kernel may be at the last close. */
static gboolean check_closed(const GiveBack *way, const HvrJournalEntry *entry, GError **error)
{
	const HvrPciFunction *function = find_card(way->inventory, entry);
	g_autofree char *opener = NULL;
	gboolean open = FALSE;
	GError *cause = NULL;

	/* The group of a card that is gone may be another's by now. */
	if (!function)
		return TRUE;
	if (!hvr_inuse_is_open(&way->context->host, function, way->closed_by_us, &open, &opener,
			       &cause)) {
		g_propagate_prefixed_error(error, cause, "%s: cannot be given back: ", entry->name);
		hvr_error_hint(error, "when that is mended: hailo-vm-run release %s", entry->name);
		return FALSE;
	}
	if (!open)
		return TRUE;
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_BUSY,
		    "%s: cannot be given back: a process still has its IOMMU group %d open",
		    entry->name, entry->group);
	hvr_error_hint(error, "end %s, then: hailo-vm-run release %s", opener ? opener : "that VM",
		       entry->name);
	return FALSE;
}

/* The kernel closes and resets one function of a dead QEMU after the other. */
static gint64 closed_by(const GiveBack *way, const GPtrArray *entries)
{
	guint each_ms = hvr_host_timeout_ms(&way->context->host);

	return g_get_monotonic_time() + (gint64)entries->len * each_ms * G_TIME_SPAN_MILLISECOND;
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

static gboolean forget(const GiveBack *way, const HvrJournalEntry *entry, GError **error)
{
	g_autoptr(GError) cause = g_steal_pointer(error);

	hvr_message_warning(cause);
	return hvr_journal_remove(way->context->runtime, &entry->address, error);
}

/* Errors: as hvr_giveback_each() has them; of what was tried, not of a group that is open */
static gboolean try_one(const GiveBack *way, HvrJournalEntry *entry, GError **error)
{
	const HvrContext *context = way->context;
	const HvrPciFunction *function = find_card(way->inventory, entry);
	g_autofree char *vm = g_strdup(entry->vm); /* which the entry forgets */
	const char *kept = way->mode == HVR_GIVEBACK_KEEP ? "it stays on vfio-pci" : NULL;

	if (give_one_back(way, entry, error)) {
		if (function)
			hvr_card_audit(context, HVR_AUDIT_GIVEN_BACK, function, vm, kept);
		return TRUE;
	}
	if (function) {
		hvr_card_audit(context, HVR_AUDIT_FAILED, function, vm, (*error)->message);
		/* Of a change that is undone the owner lives, and tries again at its end. */
		if (!way->undo)
			hvr_health_failed(context, function, *error);
	}
	if (way->forget && forget(way, entry, error))
		return TRUE;
	hvr_error_hint(error, "when that is mended: hailo-vm-run release %s", entry->name);
	return FALSE;
}

/* @refused: groups that were found open; their other members are as well, and it is told once */
static void add_result(const GiveBack *way, HvrJournalEntry *entry, GHashTable *refused,
		       GPtrArray *results)
{
	gpointer group = GINT_TO_POINTER(entry->group + 1);
	GError *error = NULL;

	if (g_hash_table_contains(refused, group))
		return;
	if (!check_closed(way, entry, &error))
		g_hash_table_add(refused, group);
	else if (try_one(way, entry, &error))
		g_clear_error(&error);
	g_ptr_array_add(results, hvr_giveback_result_new(entry, error));
}

/* When all is done: what one card leaves, another may have been given. */
static void look(const GiveBack *way, const GPtrArray *entries, const GPtrArray *results)
{
	const HvrHost *host = &way->context->host;
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(host, NULL);

	for (guint i = 0; inventory && i < results->len; i++) {
		HvrGivebackResult *result = g_ptr_array_index(results, i);
		const HvrJournalEntry *entry = hvr_journal_find(entries, &result->address);
		if (!result->error)
			result->where = hvr_whereabouts(host, inventory, entry, &result->as_before);
	}
}

/* @way: all but the inventory */
static GPtrArray *give_back(GiveBack way, const GPtrArray *entries)
{
	GPtrArray *results = g_ptr_array_new_with_free_func(hvr_giveback_result_free);
	g_autoptr(GPtrArray) order = hvr_giveback_order(entries);
	g_autoptr(GHashTable) refused = g_hash_table_new(NULL, NULL);
	g_autoptr(HvrInventory) inventory = NULL;
	GError *error = NULL;

	if (order->len == 0)
		return results;
	inventory = hvr_inventory_read(&way.context->host, &error);
	way.inventory = inventory;
	way.closed_by_us = closed_by(&way, order);
	for (guint i = 0; i < order->len && !error; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(order, i);
		if (!way.interruptible || hvr_interrupt_check(&error))
			add_result(&way, entry, refused, results);
	}
	if (error)
		g_ptr_array_add(results,
				hvr_giveback_result_new(g_ptr_array_index(order, 0), error));
	if (way.mode == HVR_GIVEBACK_RESTORE)
		look(&way, entries, results);
	return results;
}

GPtrArray *hvr_giveback_each(const HvrContext *context, const GPtrArray *entries,
			     const HvrGivebackHow *how)
{
	const GiveBack way = { .context = context,
			       .mode = how->mode,
			       .interruptible = how->interruptible,
			       .forget = how->forget };

	return give_back(way, entries);
}

static gboolean all_well(const GPtrArray *results, GError **error)
{
	for (guint i = 0; i < results->len; i++) {
		HvrGivebackResult *result = g_ptr_array_index(results, i);
		if (!result->error)
			continue;
		g_propagate_error(error, g_steal_pointer(&result->error));
		return FALSE;
	}
	return TRUE;
}

gboolean hvr_giveback(const HvrContext *context, const GPtrArray *entries, HvrGivebackMode mode,
		      GError **error)
{
	const GiveBack way = { .context = context, .mode = mode };
	g_autoptr(GPtrArray) results = give_back(way, entries);

	return all_well(results, error);
}

gboolean hvr_giveback_one(const HvrContext *context, HvrJournalEntry *entry,
			  const HvrPciState *found, GError **error)
{
	GiveBack way = { .context = context, .mode = HVR_GIVEBACK_RESTORE, .undo = TRUE };
	g_autoptr(GPtrArray) one = g_ptr_array_new();

	if (found) {
		way.mode = HVR_GIVEBACK_KEEP;
		way.found = found;
	}
	g_ptr_array_add(one, entry);
	g_autoptr(GPtrArray) results = give_back(way, one);
	const HvrGivebackResult *result = g_ptr_array_index(results, 0);
	if (result->where && !result->as_before)
		hvr_message("warning: %s: %s", result->name, result->where);
	return all_well(results, error);
}
