/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The look at the host that a plan is made from: the claimed cards and what shares their groups.
 */
#include "launcher/host/plan-view.h"

#include "launcher/host/health.h"
#include "launcher/host/inuse.h"
#include "launcher/host/isolation.h"
#include "vfio/access.h"
#include "vfio/capability.h"
#include "vfio/tree.h"
#include "vfio/writable.h"

void hvr_plan_view_free(HvrPlanView *view)
{
	if (!view)
		return;
	g_hash_table_unref(view->states);
	g_hash_table_unref(view->dead);
	g_hash_table_unref(view->usable);
	g_hash_table_unref(view->bars);
	g_hash_table_unref(view->unwritable);
	g_hash_table_unref(view->incapable);
	g_hash_table_unref(view->virtuals);
	g_hash_table_unref(view->vital);
	g_hash_table_unref(view->reserved);
	g_ptr_array_unref(view->journal);
	hvr_guard_free(view->guard);
	g_free(view);
}

static void look_at_virtuals(const HvrContext *context, HvrPlanView *view,
			     const HvrPciFunction *function)
{
	g_autofree char *path = g_strdup_printf("bus/pci/devices/%s/sriov_numvfs", function->name);
	guint64 n = 0;

	if (hvr_tree_read_number(context->host.sys, path, 10, &n) && n > 0)
		g_hash_table_insert(view->virtuals, (gpointer)function, GUINT_TO_POINTER((guint)n));
}

static void look_at_writes(const HvrContext *context, HvrPlanView *view,
			   const HvrPciFunction *function)
{
	GError *error = NULL;

	/* Who is not root writes nothing. */
	if (context->captured || !context->privileged)
		return;
	if (!hvr_pci_function_writable(&context->host, function, &error))
		g_hash_table_insert(view->unwritable, (gpointer)function, error);
}

static gboolean answers(const HvrContext *context, const HvrPlanView *view,
			const HvrPciFunction *function, GError **error)
{
	if (view->wakes)
		return hvr_pci_function_alive(&context->host, function, error);
	return hvr_health_answers(context, function, error);
}

static void look_at(const HvrContext *context, HvrPlanView *view, const HvrPciFunction *function)
{
	GError *error = NULL;

	if (g_hash_table_contains(view->states, function))
		return;
	HvrPciState *state = hvr_pci_state_read(&context->host, function, &error);
	if (state)
		g_hash_table_insert(view->states, (gpointer)function, state);
	if (state && hvr_access_is_usable(&context->host, hvr_access_of(function)))
		g_hash_table_add(view->usable, (gpointer)function);
	if (!state || !answers(context, view, function, &error))
		g_hash_table_insert(view->dead, (gpointer)function, error);
	if (view->wakes && state && !context->captured)
		g_hash_table_insert(view->incapable, (gpointer)function,
				    hvr_reset_incapable(&context->host, function));
	HvrBars *bars = g_new(HvrBars, 1);
	hvr_bars_read(&context->host, function->name, bars);
	g_hash_table_insert(view->bars, (gpointer)function, bars);
	look_at_virtuals(context, view, function);
	look_at_writes(context, view, function);
}

/* Only of what blocks: it is searched for in all of /proc. */
static void look_at_vital(const HvrContext *context, HvrPlanView *view,
			  const HvrPciFunction *member)
{
	char *vital = hvr_inuse_vital(&context->host, member);

	if (vital)
		g_hash_table_insert(view->vital, (gpointer)member, vital);
}

static void look_at_card(const HvrContext *context, HvrPlanView *view,
			 const HvrInventory *inventory, const HvrClaimedCard *card)
{
	const HvrPciFunction *function = card->function;
	const GPtrArray *group = hvr_inventory_group(inventory, function->group);
	char *reserved = hvr_isolation_reserved(&context->host, function->group);

	look_at(context, view, function);
	if (reserved)
		g_hash_table_insert(view->reserved, (gpointer)function, reserved);
	for (guint i = 0; i < group->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(group, i);
		if (!hvr_pci_function_is_bridge(member) || hvr_pci_function_blocks(member))
			look_at(context, view, member);
		if (member != function && hvr_pci_function_blocks(member))
			look_at_vital(context, view, member);
	}
}

/* It takes a process: where the module is not, only who requires it wants to know why. */
static gboolean asks_for_guard(const HvrContext *context, const HvrClaim *claim)
{
	if (context->captured || claim->cards->len == 0)
		return FALSE;
	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		if (card->device->reset_guard == HVR_RESET_GUARD_REQUIRE)
			return TRUE;
	}
	return hvr_guard_is_installed(&context->host);
}

static HvrPlanView *look(const HvrContext *context, const HvrClaim *claim,
			 const HvrInventory *inventory, gboolean wakes)
{
	HvrPlanView *view = g_new(HvrPlanView, 1);

	view->wakes = wakes;
	view->states = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)hvr_pci_state_free);
	view->dead = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_error_free);
	view->bars = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	view->usable = g_hash_table_new(NULL, NULL);
	view->unwritable = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_error_free);
	view->incapable = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	view->virtuals = g_hash_table_new(NULL, NULL);
	view->vital = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	view->routes_seen = !context->captured || hvr_tree_exists(context->host.proc, "net/route");
	view->reserved = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	if (context->runtime >= 0)
		view->journal = hvr_journal_list(context->runtime, NULL);
	else
		view->journal = g_ptr_array_new();
	view->guard = hvr_guard_look(&context->host);
	if (wakes && asks_for_guard(context, claim))
		hvr_guard_ask(&context->host, view->guard);
	for (guint i = 0; i < claim->cards->len; i++)
		look_at_card(context, view, inventory, g_ptr_array_index(claim->cards, i));
	return view;
}

HvrPlanView *hvr_plan_look(const HvrContext *context, const HvrClaim *claim,
			   const HvrInventory *inventory)
{
	return look(context, claim, inventory, TRUE);
}

HvrPlanView *hvr_plan_look_asleep(const HvrContext *context, const HvrClaim *claim,
				  const HvrInventory *inventory)
{
	return look(context, claim, inventory, FALSE);
}

/* What was looked at is what the VM has: its cards, and their groups. */
static gboolean is_looked_at(const HvrPciFunction *other, gconstpointer view)
{
	return g_hash_table_contains(((const HvrPlanView *)view)->states, other);
}

HvrResetFacts hvr_plan_view_reset_facts(const HvrPlanView *view, const HvrInventory *inventory,
					const HvrPciFunction *function, const char *reset)
{
	const HvrPciState *now = g_hash_table_lookup(view->states, function);
	const HvrJournalEntry *entry = hvr_journal_find_card(view->journal, function);
	HvrResetFacts facts = { .function = function,
				.original = now->reset_method,
				.left = now->reset_method,
				.alone = hvr_reset_alone_on_bus(inventory, function),
				.apart =
					hvr_reset_is_apart(inventory, function, is_looked_at, view),
				.guarded = hvr_guard_keeps(view->guard, function) };

	if (entry)
		facts.original = entry->saved->reset_method;
	if (facts.left && reset)
		facts.left = reset;
	return facts;
}
