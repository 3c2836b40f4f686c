/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can be known before a change is known here.
 */
#include "launcher/host/decide.h"

#include "launcher/host/inuse.h"
#include "launcher/parts/slots.h"

void hvr_decision_clear(HvrDecision *decision)
{
	g_clear_pointer(&decision->plan, hvr_plan_free);
	g_clear_pointer(&decision->view, hvr_plan_view_free);
	g_clear_pointer(&decision->claim, hvr_claim_free);
	g_clear_pointer(&decision->inventory, hvr_inventory_free);
	g_clear_pointer(&decision->parts, hvr_parts_free);
	g_clear_pointer(&decision->facts, hvr_facts_free);
}

static gboolean check_taken(const HvrContext *context, const HvrPlan *plan, GError **error)
{
	g_autoptr(GPtrArray) taken = hvr_plan_taken(plan);

	for (guint i = 0; i < taken->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(taken, i);
		if (!hvr_inuse_check(&context->host, function, error))
			return FALSE;
	}
	return TRUE;
}

/* With group = pass there are more cards than sections. A running VM's ports are there. */
static gboolean check_slots(const HvrProfile *profile, const HvrDecideFor *whom,
			    const HvrPlan *plan, GError **error)
{
	return whom->running || hvr_slots_check_cards(profile, plan->cards->len, error);
}

/* An entry that cannot be read says what its function was like, and would be written over. */
static gboolean check_journal(const HvrContext *context, const HvrPlan *plan, GError **error)
{
	for (guint i = 0; context->runtime >= 0 && i < plan->functions->len; i++) {
		const HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
		if (!hvr_journal_check(context->runtime, &planned->function->address, error))
			return FALSE;
	}
	return TRUE;
}

/* What was seen of the cards before they were locked may be another VM's doing. */
static gboolean look_again(const HvrContext *context, HvrDecision *decision, GError **error)
{
	if (decision->claim->cards->len == 0)
		return TRUE;
	HvrInventory *inventory = hvr_inventory_read(&context->host, error);
	if (!inventory)
		return FALSE;
	if (!hvr_claim_look_again(decision->claim, inventory, error)) {
		hvr_inventory_free(inventory);
		return FALSE;
	}
	hvr_inventory_free(decision->inventory);
	decision->inventory = inventory;
	return TRUE;
}

gboolean hvr_decide_cards(const HvrContext *context, const HvrDecideFor *whom,
			  HvrDecision *decision, GError **error)
{
	decision->inventory = hvr_inventory_read(&context->host, error);
	if (!decision->inventory)
		return FALSE;
	decision->claim =
		whom->look ? hvr_claim_look(context, whom->devices, decision->inventory, error)
			   : hvr_claim_take(context, whom->devices, whom->vm, decision->inventory,
					    whom->wait_s, error);
	return decision->claim != NULL;
}

/* What of it does not depend on which cards they are. */
static gboolean learn(const HvrContext *context, const HvrProfile *profile,
		      const HvrDecideFor *whom, HvrDecision *decision, GError **error)
{
	decision->facts = hvr_facts_gather(context, profile, error);
	if (!decision->facts)
		return FALSE;
	if (whom->running)
		return TRUE;
	hvr_facts_ask_qemu(context, profile, !whom->look, decision->facts);
	decision->parts = hvr_parts_gather(context, profile, decision->facts->user, error);
	return decision->parts != NULL;
}

gboolean hvr_decide(const HvrContext *context, const HvrProfile *profile, const HvrDecideFor *whom,
		    HvrDecision *decision, GError **error)
{
	if (!decision->facts && !learn(context, profile, whom, decision, error))
		return FALSE;
	if (!decision->claim && !hvr_decide_cards(context, whom, decision, error))
		return FALSE;
	if (!whom->look && !look_again(context, decision, error))
		return FALSE;
	decision->view = hvr_plan_look(context, decision->claim, decision->inventory);
	const HvrPlanInput input = { .profile = profile,
				     .facts = decision->facts,
				     .parts = decision->parts,
				     .inventory = decision->inventory,
				     .claim = decision->claim,
				     .view = decision->view };
	decision->plan = hvr_plan_make(&input, error);
	return decision->plan && check_slots(profile, whom, decision->plan, error) &&
	       check_journal(context, decision->plan, error) &&
	       (context->captured || check_taken(context, decision->plan, error));
}
