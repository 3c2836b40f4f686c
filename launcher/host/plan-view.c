/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The look at the host that a plan is made from: the claimed cards and what shares their groups.
 */
#include "launcher/host/plan-view.h"

#include "vfio/access.h"

void hvr_plan_view_free(HvrPlanView *view)
{
	if (!view)
		return;
	g_hash_table_unref(view->states);
	g_hash_table_unref(view->dead);
	g_hash_table_unref(view->usable);
	g_ptr_array_unref(view->journal);
	g_free(view);
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
	if (!state || !hvr_pci_function_alive(&context->host, function, &error))
		g_hash_table_insert(view->dead, (gpointer)function, error);
}

HvrPlanView *hvr_plan_look(const HvrContext *context, const HvrClaim *claim,
			   const HvrInventory *inventory)
{
	HvrPlanView *view = g_new(HvrPlanView, 1);

	view->states = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)hvr_pci_state_free);
	view->dead = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_error_free);
	view->usable = g_hash_table_new(NULL, NULL);
	if (context->runtime >= 0)
		view->journal = hvr_journal_list(context->runtime, NULL);
	else
		view->journal = g_ptr_array_new();
	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		const GPtrArray *group = hvr_inventory_group(inventory, card->function->group);
		look_at(context, view, card->function);
		for (guint k = 0; k < group->len; k++) {
			HvrPciFunction *member = g_ptr_array_index(group, k);
			if (!hvr_pci_function_is_bridge(member))
				look_at(context, view, member);
		}
	}
	return view;
}
