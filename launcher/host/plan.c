/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * (profile, facts) -> plan.
 *
 * Judged from the cheap and certain to the particular: is there a QEMU, are the files there, has
 * the card an IOMMU group, does it answer, may the rest of the group be touched. Only when all of
 * it is settled are there steps.
 */
#include "launcher/host/plan.h"

#include "launcher/host/judge.h"
#include "launcher/parts/parts.h"
#include "launcher/report/error.h"
#include "vfio/access.h"
#include "vfio/lifecycle.h"
#include "vfio/reset.h"

#define VFIO_PCI "vfio-pci"

static void plan_function_free(HvrPlanFunction *planned)
{
	g_free(planned->id);
	hvr_pci_state_free(planned->state);
	hvr_pci_state_free(planned->found);
	g_ptr_array_unref(planned->steps);
	g_free(planned);
}

static void plan_card_free(HvrPlanCard *card)
{
	g_free(card->id);
	g_free(card);
}

void hvr_plan_free(HvrPlan *plan)
{
	if (!plan)
		return;
	g_ptr_array_unref(plan->functions);
	g_ptr_array_unref(plan->first);
	g_ptr_array_unref(plan->cards);
	g_ptr_array_unref(plan->notes);
	g_free(plan);
}

static HvrPlan *plan_new(void)
{
	HvrPlan *plan = g_new0(HvrPlan, 1);

	plan->functions = g_ptr_array_new_with_free_func((GDestroyNotify)plan_function_free);
	plan->first = hvr_steps_new();
	plan->cards = g_ptr_array_new_with_free_func((GDestroyNotify)plan_card_free);
	plan->notes = g_ptr_array_new_with_free_func(g_free);
	return plan;
}

/* Everything that the decision looks at, so that it need not be handed on piece by piece. */
typedef struct {
	const HvrProfile *profile;
	const HvrFacts *facts;
	const HvrParts *parts;
	const HvrInventory *inventory;
	const HvrClaim *claim;
	const HvrPlanView *view;
	HvrPlan *plan;
} Planning;

static gboolean vanished(GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "a PCI function vanished while it was looked at");
	hvr_error_hint(error, "try again");
	return FALSE;
}

static gboolean judge_host(const Planning *how, GError **error)
{
	const HvrFacts *facts = how->facts;
	const HvrParts *parts = how->parts;
	gboolean cards = how->claim->cards->len > 0;

	if (!hvr_judge_qemu(how->profile, facts, error) ||
	    (parts && (!hvr_judge_files(parts, error) || !hvr_judge_parts(parts, error))) ||
	    !hvr_judge_kvm(how->profile, facts, error) ||
	    (cards && !hvr_judge_vfio_pci(facts, error)))
		return FALSE;
	how->plan->kvm = facts->kvm && how->profile->accel != HVR_ACCEL_TCG;
	if (how->profile->accel == HVR_ACCEL_AUTO && !facts->kvm)
		g_ptr_array_add(how->plan->notes,
				g_strdup_printf("warning: %s: emulating, which is slow",
						facts->kvm_problem));
	if (parts)
		hvr_parts_describe(how->profile, parts, how->plan->notes);
	how->plan->memlock_bytes = how->profile->memory_bytes + HVR_PLAN_MEMLOCK_EXTRA;
	return TRUE;
}

static gboolean planned_already(const HvrPlan *plan, const HvrPciFunction *function)
{
	for (guint i = 0; i < plan->functions->len; i++) {
		const HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
		if (planned->function == function)
			return TRUE;
	}
	return FALSE;
}

/* A prepared or kept card's own state is in its entry: what is there now is our doing. */
static void set_states(const Planning *how, HvrPlanFunction *planned, const HvrPciState *now)
{
	const HvrPciFunction *function = planned->function;
	const HvrJournalEntry *entry = hvr_journal_find(how->view->journal, &function->address);
	gboolean prepared =
		entry && entry->vendor == function->vendor && entry->device == function->device;

	planned->state = hvr_pci_state_copy(prepared ? entry->saved : now);
	planned->found = prepared ? hvr_pci_state_copy(now) : NULL;
}

static void add_reset_note(const Planning *how, const HvrPlanFunction *planned, const char *reset)
{
	const HvrPciState *now = g_hash_table_lookup(how->view->states, planned->function);
	const char *left = reset && now->reset_method ? reset : now->reset_method;
	HvrResetReach reach =
		hvr_reset_reach(planned->function, planned->state->reset_method, left,
				hvr_reset_alone_on_bus(how->inventory, planned->function));
	g_autofree char *text = hvr_reset_describe(reach, left);

	g_ptr_array_add(how->plan->notes, g_strdup_printf("%s: %s", planned->function->name, text));
}

/* @id: (transfer full) (nullable) */
static void add_function(const Planning *how, const HvrPciFunction *function,
			 const HvrProfileDevice *device, char *id)
{
	const HvrPciState *now = g_hash_table_lookup(how->view->states, function);
	HvrPlanFunction *planned = g_new0(HvrPlanFunction, 1);
	/* Somebody else's function that is only bound keeps its resets: QEMU never opens it. */
	const char *reset = id ? hvr_judge_reset_policy(device, function) : NULL;
	HvrPrepare prepare = { .reset_method = reset,
			       .own_node = TRUE,
			       .uid = how->facts->user->uid,
			       .gid = how->facts->user->gid };

	*planned = (HvrPlanFunction){ .function = function,
				      .device = device,
				      .id = id,
				      .access = hvr_access_of(function),
				      .steps = hvr_steps_new() };
	set_states(how, planned, now);
	hvr_lifecycle_prepare(function, now, &prepare, planned->steps);
	g_ptr_array_add(how->plan->functions, planned);
	if (!id)
		return;

	HvrPlanCard *card = g_new(HvrPlanCard, 1);
	*card = (HvrPlanCard){ .id = g_strdup(id),
			       .address = function->address,
			       .access = planned->access };
	g_ptr_array_add(how->plan->cards, card);
	add_reset_note(how, planned, reset);
}

static char *companion_id(const HvrClaimedCard *card, const HvrPciFunction *member)
{
	return g_strdup_printf("%s-%02x-%02x-%x", card->device->id, member->address.bus,
			       member->address.slot, member->address.function);
}

static void add_companions(const Planning *how, const HvrClaimedCard *card,
			   const GPtrArray *companions)
{
	for (guint i = 0; i < companions->len; i++) {
		HvrPciFunction *member = g_ptr_array_index(companions, i);
		gboolean pass = card->device->group == HVR_GROUP_PASS;
		if (planned_already(how->plan, member) ||
		    !(pass || hvr_pci_function_blocks(member)))
			continue;
		add_function(how, member, card->device, pass ? companion_id(card, member) : NULL);
	}
}

static gboolean plan_card(const Planning *how, const HvrClaimedCard *card, GError **error)
{
	if (!hvr_judge_iommu(how->facts, card->function, error) ||
	    !hvr_judge_domain(card->function, error) ||
	    !hvr_judge_alive(how->view, card->function, error))
		return FALSE;
	g_autoptr(GPtrArray) companions = hvr_judge_companions(how->inventory, how->claim, card);
	if (!hvr_judge_group(card, companions, error))
		return FALSE;
	for (guint i = 0; i < companions->len; i++)
		if (!g_hash_table_contains(how->view->states, g_ptr_array_index(companions, i)))
			return vanished(error);
	add_function(how, card->function, card->device, g_strdup(card->device->id));
	add_companions(how, card, companions);
	return TRUE;
}

/* A plain user changes nothing; the card must have been prepared. */
static gboolean judge_plain_user(const Planning *how, GError **error)
{
	for (guint i = 0; i < how->plan->functions->len; i++) {
		HvrPlanFunction *planned = g_ptr_array_index(how->plan->functions, i);
		if (!hvr_judge_prepared(how->facts, how->view, planned->function, error))
			return FALSE;
		g_ptr_array_set_size(planned->steps, 0);
	}
	return TRUE;
}

static gboolean any_probe(const HvrPlan *plan)
{
	for (guint i = 0; i < plan->functions->len; i++) {
		const HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
		for (guint k = 0; k < planned->steps->len; k++) {
			const HvrStep *step = g_ptr_array_index(planned->steps, k);
			if (step->kind == HVR_STEP_PROBE)
				return TRUE;
		}
	}
	return FALSE;
}

HvrPlan *hvr_plan_make(const HvrProfile *profile, const HvrFacts *facts, const HvrParts *parts,
		       const HvrInventory *inventory, const HvrClaim *claim,
		       const HvrPlanView *view, GError **error)
{
	g_autoptr(HvrPlan) plan = plan_new();
	Planning how = { .profile = profile,
			 .facts = facts,
			 .parts = parts,
			 .inventory = inventory,
			 .claim = claim,
			 .view = view,
			 .plan = plan };

	if (!judge_host(&how, error))
		return NULL;
	for (guint i = 0; i < claim->cards->len; i++)
		if (!plan_card(&how, g_ptr_array_index(claim->cards, i), error))
			return NULL;
	/* In this order: raising the limit does not help whom the card is not prepared for. */
	if (!facts->user->privileged && !judge_plain_user(&how, error))
		return NULL;
	if ((claim->cards->len > 0 || profile->memory.locked) &&
	    !hvr_judge_memlock(profile, facts, error))
		return NULL;
	if (!facts->vfio_pci_loaded && any_probe(plan))
		g_ptr_array_add(plan->first, hvr_step_new(HVR_STEP_LOAD_MODULE, NULL, VFIO_PCI));
	return g_steal_pointer(&plan);
}

const HvrPciAddress *hvr_plan_first_card(const HvrPlan *plan)
{
	const HvrPlanCard *card = plan->cards->len > 0 ? g_ptr_array_index(plan->cards, 0) : NULL;

	return card ? &card->address : NULL;
}

GPtrArray *hvr_plan_taken(const HvrPlan *plan)
{
	GPtrArray *taken = g_ptr_array_new();

	for (guint i = 0; i < plan->functions->len; i++) {
		HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
		if (hvr_pci_function_blocks(planned->function))
			g_ptr_array_add(taken, (gpointer)planned->function);
	}
	return taken;
}
