/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can be known before a change is known here.
 */
#include "launcher/host/decide.h"

#include "launcher/host/inuse.h"
#include "launcher/parts/files.h"
#include "launcher/parts/slots.h"

void hvr_decision_clear(HvrDecision *decision)
{
	g_clear_pointer(&decision->plan, hvr_plan_free);
	g_clear_pointer(&decision->view, hvr_plan_view_free);
	g_clear_pointer(&decision->claim, hvr_claim_free);
	g_clear_pointer(&decision->inventory, hvr_inventory_free);
	g_clear_pointer(&decision->parts, hvr_parts_free);
	g_clear_pointer(&decision->facts, hvr_facts_free);
	g_clear_pointer(&decision->tried, g_ptr_array_unref);
}

/* @out_blamed: the one that is in use */
static gboolean check_taken(const HvrContext *context, const HvrPlan *plan,
			    const HvrPciFunction **out_blamed, GError **error)
{
	g_autoptr(GPtrArray) taken = hvr_plan_taken(plan);

	for (guint i = 0; i < taken->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(taken, i);
		if (hvr_inuse_check(&context->host, function, error))
			continue;
		*out_blamed = function;
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
	GError *no_pci = NULL;

	decision->inventory = hvr_inventory_read(&context->host, &no_pci);
	if (no_pci && whom->devices->len > 0) {
		g_propagate_error(error, no_pci);
		return FALSE;
	}
	/* A VM without a card needs no PCI bus of the host. */
	g_clear_error(&no_pci);
	const HvrClaimFor cards = { .devices = whom->devices,
				    .vm = whom->vm,
				    .wait_s = whom->wait_s,
				    .tried = decision->tried };
	if (whom->look)
		decision->claim = hvr_claim_look(context, &cards, decision->inventory, error);
	else
		decision->claim = hvr_claim_take(context, &cards, decision->inventory, error);
	return decision->claim != NULL;
}

/* Of a card that comes to a running VM it is the one file that QEMU has not opened before. */
static gboolean check_roms(const HvrDecision *decision, GError **error)
{
	const HvrClaim *claim = decision->claim;

	for (guint i = 0; claim && i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		if (!hvr_files_check_rom(card->device, decision->facts->user, error))
			return FALSE;
	}
	return TRUE;
}

/* What of it does not depend on which cards they are. */
static gboolean learn(const HvrContext *context, const HvrProfile *profile,
		      const HvrDecideFor *whom, HvrDecision *decision, GError **error)
{
	decision->facts = hvr_facts_gather(context, profile, error);
	if (!decision->facts)
		return FALSE;
	if (whom->running)
		return context->captured || check_roms(decision, error);
	hvr_facts_ask_qemu(context, profile, !whom->look, decision->facts);
	decision->parts = hvr_parts_gather(context, profile, decision->facts->user, error);
	return decision->parts != NULL;
}

/* The card whose own question is answered with "no"; NULL: it is not about a card. */
static const HvrPciFunction *find_blamed(const HvrPlanInput *input)
{
	const GPtrArray *cards = input->claim->cards;

	for (guint i = 0; hvr_judge_all(HVR_JUDGE_VM, input, NULL, NULL) && i < cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(cards, i);
		if (!hvr_judge_all(HVR_JUDGE_CARD, input, card, NULL))
			return card->function;
	}
	return NULL;
}

/* The claim is there. @out_blamed: whose fault a failure is; NULL: no card's */
static gboolean decide_rest(const HvrContext *context, const HvrProfile *profile,
			    const HvrDecideFor *whom, HvrDecision *decision,
			    const HvrPciFunction **out_blamed, GError **error)
{
	*out_blamed = NULL;
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
	if (!decision->plan) {
		*out_blamed = find_blamed(&input);
		return FALSE;
	}
	return check_slots(profile, whom, decision->plan, error) &&
	       check_journal(context, decision->plan, error) &&
	       (context->captured || check_taken(context, decision->plan, out_blamed, error));
}

/* In front of all else: which cards it is not, and why. */
static void add_notes(const HvrDecision *decision)
{
	GPtrArray *notes = decision->plan->notes;
	const GPtrArray *passed = decision->claim->passed;
	guint n = 0;

	for (guint i = 0; decision->tried && i < decision->tried->len; i++) {
		const HvrTriedCard *card = g_ptr_array_index(decision->tried, i);
		g_auto(GStrv) lines = g_strsplit(card->why->message, "\n", 2);
		g_ptr_array_insert(notes, (gint)n++,
				   g_strdup_printf("another card is taken, as %s", lines[0]));
	}
	for (guint i = 0; i < passed->len; i++) {
		const char *why = g_ptr_array_index(passed, i);
		g_auto(GStrv) lines = g_strsplit(why, "\n", 2);
		g_ptr_array_insert(notes, (gint)n++,
				   g_strdup_printf("another card is taken, as %s", lines[0]));
	}
}

gboolean hvr_decide(const HvrContext *context, const HvrProfile *profile, const HvrDecideFor *whom,
		    HvrDecision *decision, GError **error)
{
	/* A claim that is there is somebody's who holds its locks. */
	gboolean ours = decision->claim == NULL;
	g_autoptr(GError) cause = NULL;

	do {
		decision->blamed = NULL;
		g_clear_error(&cause);
		if (!decision->facts && !learn(context, profile, whom, decision, error))
			return FALSE;
		if (!decision->claim && !hvr_decide_cards(context, whom, decision, error))
			return FALSE;
		if (decide_rest(context, profile, whom, decision, &decision->blamed, &cause)) {
			add_notes(decision);
			return TRUE;
		}
	} while (ours && decision->blamed && hvr_decide_next(decision, decision->blamed, &cause));
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

gboolean hvr_decide_next(HvrDecision *decision, const HvrPciFunction *failed, GError **error)
{
	const HvrClaimedCard *card = hvr_claim_card_of(decision->claim, failed);

	if (!card || card->device->pick == HVR_PICK_ONLY)
		return FALSE;
	if (!decision->tried)
		decision->tried = hvr_tried_new();
	hvr_tried_add(decision->tried, card->function, g_steal_pointer(error));
	g_clear_pointer(&decision->plan, hvr_plan_free);
	g_clear_pointer(&decision->view, hvr_plan_view_free);
	g_clear_pointer(&decision->claim, hvr_claim_free);
	g_clear_pointer(&decision->inventory, hvr_inventory_free);
	return TRUE;
}
