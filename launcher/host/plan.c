/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * (profile, facts) -> plan.
 *
 * Judged from the cheap and certain to the particular: is there a QEMU, are the files there, has
 * the card an IOMMU group, does it answer, may the rest of the group be touched. Only when all of
 * it is settled are there steps.
 */
#include "launcher/host/plan.h"

#include "launcher/host/isolation.h"
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
	hvr_step_free(plan->guard);
	g_ptr_array_unref(plan->first);
	g_ptr_array_unref(plan->cards);
	g_ptr_array_unref(plan->notes);
	g_free(plan);
}

static void plan_vm(const HvrPlanInput *input, HvrPlan *plan)
{
	const HvrProfile *profile = input->profile;
	const HvrFacts *facts = input->facts;

	plan->user = facts->user;
	plan->dialect = facts->dialect;
	plan->kvm = facts->kvm && profile->accel != HVR_ACCEL_TCG;
	if (profile->accel == HVR_ACCEL_AUTO && !facts->kvm)
		g_ptr_array_add(plan->notes,
				g_strdup_printf("warning: %s: emulating, which is slow",
						facts->kvm_problem));
	if (facts->user->shared)
		g_ptr_array_add(plan->notes,
				g_strdup_printf("warning: QEMU runs as %s, whose other processes "
						"reach into the VM: see 'check'",
						facts->user->name));
	if (facts->acs_override && input->claim->cards->len > 0)
		g_ptr_array_add(plan->notes, g_strdup_printf("warning: %s: " HVR_ISOLATION_WARNING,
							     facts->acs_override));
	if (input->parts)
		hvr_parts_describe(profile, input->parts, plan->notes);
}

/* Of a plan that has its cards. */
static void plan_memlock(const HvrProfile *profile, HvrPlan *plan)
{
	plan->memlock_bytes =
		hvr_judge_locked_memory(profile, plan->cards->len) + HVR_PLAN_MEMLOCK_EXTRA;
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
static void set_states(const HvrPlanInput *input, HvrPlanFunction *planned, const HvrPciState *now)
{
	const HvrPciFunction *function = planned->function;
	const HvrJournalEntry *entry = hvr_journal_find_card(input->view->journal, function);

	if (entry) {
		planned->state = hvr_pci_state_copy(entry->saved);
		planned->found = hvr_pci_state_copy(now);
	} else {
		planned->state = hvr_pci_state_copy(now);
	}
}

/* The kernel's own reset is not among those that are left, and the plain one is. */
static void add_care_note(HvrPlan *plan, const HvrPciFunction *function, const char *left)
{
	const HvrResetCare *care = hvr_reset_care_find(function->vendor, function->device);
	g_auto(GStrv) words = g_strsplit(left ? left : "", " ", -1);

	if (!care || !g_strv_contains((const char *const *)words, "flr") ||
	    g_strv_contains((const char *const *)words, "device_specific"))
		return;
	g_ptr_array_add(plan->notes,
			g_strdup_printf("warning: %s: %s: with FLR alone (reset methods %s) %s; "
					"newer kernels have device_specific for it",
					function->name, care->name, left, care->why));
}

/* @reset: (nullable): the methods to leave */
static void add_reset_note(const HvrPlanInput *input, HvrPlan *plan, const HvrPlanFunction *planned,
			   const char *reset)
{
	const HvrPciFunction *function = planned->function;
	HvrResetFacts facts =
		hvr_plan_view_reset_facts(input->view, input->inventory, function, reset);
	facts.guard_comes = planned->guarding == HVR_GUARDING_COMES;
	HvrResets resets = hvr_resets_reach(&facts);
	g_autofree char *text = hvr_resets_describe(&resets, facts.left);

	g_ptr_array_add(plan->notes, g_strdup_printf("%s: %s", function->name, text));
	add_care_note(plan, function, facts.left);
}

/* One step for all cards that want the module. */
static void add_guard(const HvrPlanInput *input, HvrPlan *plan, HvrPlanFunction *planned)
{
	planned->guarding = hvr_judge_guarding(input, planned->device, planned->function);
	if (planned->guarding != HVR_GUARDING_COMES || plan->guard)
		return;
	plan->guard = hvr_step_new(HVR_STEP_LOAD_MODULE, NULL, HVR_GUARD_MODULE);
	g_ptr_array_add(plan->notes,
			g_strdup("module " HVR_GUARD_MODULE
				 " is loaded first, which keeps bus resets away; it stays loaded, "
				 "and a card that nothing resets has its state for the next VM"));
}

/* @id: (transfer full) (nullable) */
static void add_function(const HvrPlanInput *input, HvrPlan *plan, const HvrPciFunction *function,
			 const HvrProfileDevice *device, char *id)
{
	const HvrPciState *now = g_hash_table_lookup(input->view->states, function);
	const HvrUser *user = input->facts->user;
	HvrPlanFunction *planned = g_new0(HvrPlanFunction, 1);
	HvrPrepare prepare = { .own_node = TRUE, .uid = user->uid, .gid = user->gid };

	*planned = (HvrPlanFunction){ .function = function,
				      .device = device,
				      .id = id,
				      .access = hvr_access_of(function),
				      .steps = hvr_steps_new() };
	set_states(input, planned, now);
	/* Somebody else's function that is only bound keeps its resets: QEMU never opens it. */
	if (id)
		prepare.reset_method = hvr_judge_reset_policy(device, function);
	/* A plain user changes nothing: hvr_judge_node() says whether what there is will do. */
	if (user->privileged)
		hvr_lifecycle_prepare(function, now, &prepare, planned->steps);
	g_ptr_array_add(plan->functions, planned);
	if (!id)
		return;

	HvrPlanCard *card = g_new(HvrPlanCard, 1);
	*card = (HvrPlanCard){ .id = g_strdup(id),
			       .address = function->address,
			       .access = planned->access };
	card->bars = *(const HvrBars *)g_hash_table_lookup(input->view->bars, function);
	if (g_str_equal(id, device->id))
		card->device = device;
	g_ptr_array_add(plan->cards, card);
	add_guard(input, plan, planned);
	add_reset_note(input, plan, planned, prepare.reset_method);
}

char *hvr_plan_companion_id(const HvrProfileDevice *device, const HvrPciAddress *address)
{
	return g_strdup_printf("%s-%02x-%02x-%x", device->id, address->bus, address->slot,
			       address->function);
}

static void add_companions(const HvrPlanInput *input, HvrPlan *plan, const HvrClaimedCard *card,
			   const GPtrArray *companions)
{
	const HvrProfileDevice *device = card->device;

	for (guint i = 0; i < companions->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(companions, i);
		if (planned_already(plan, member))
			continue;
		if (hvr_judge_is_passed(card, member))
			add_function(input, plan, member, device,
				     hvr_plan_companion_id(device, &member->address));
		else if (hvr_judge_is_taken(card, member))
			add_function(input, plan, member, device, NULL);
	}
}

static gboolean plan_card(const HvrPlanInput *input, HvrPlan *plan, const HvrClaimedCard *card,
			  GError **error)
{
	const HvrPlanView *view = input->view;

	if (!hvr_judge_all(HVR_JUDGE_CARD, input, card, error))
		return FALSE;
	g_autoptr(GPtrArray) companions =
		hvr_judge_companions(input->inventory, input->claim, card);
	for (guint i = 0; i < companions->len; i++) {
		if (g_hash_table_contains(view->states, g_ptr_array_index(companions, i)))
			continue;
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "a PCI function vanished while it was looked at");
		hvr_error_hint(error, "try again");
		return FALSE;
	}
	add_function(input, plan, card->function, card->device, g_strdup(card->device->id));
	add_companions(input, plan, card, companions);
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

HvrPlan *hvr_plan_make(const HvrPlanInput *input, GError **error)
{
	const GPtrArray *cards = input->claim->cards;
	g_autoptr(HvrPlan) plan = g_new0(HvrPlan, 1);

	plan->functions = g_ptr_array_new_with_free_func((GDestroyNotify)plan_function_free);
	plan->first = hvr_steps_new();
	plan->cards = g_ptr_array_new_with_free_func((GDestroyNotify)plan_card_free);
	plan->notes = g_ptr_array_new_with_free_func(g_free);
	if (!hvr_judge_all(HVR_JUDGE_VM, input, NULL, error))
		return NULL;
	plan_vm(input, plan);
	for (guint i = 0; i < cards->len; i++)
		if (!plan_card(input, plan, g_ptr_array_index(cards, i), error))
			return NULL;
	plan_memlock(input->profile, plan);
	if (!hvr_judge_all(HVR_JUDGE_LAST, input, NULL, error))
		return NULL;
	if (!input->facts->vfio_pci_loaded && any_probe(plan))
		g_ptr_array_add(plan->first, hvr_step_new(HVR_STEP_LOAD_MODULE, NULL, VFIO_PCI));
	return g_steal_pointer(&plan);
}

const HvrPciAddress *hvr_plan_first_card(const HvrPlan *plan)
{
	if (plan->cards->len == 0)
		return NULL;
	const HvrPlanCard *card = g_ptr_array_index(plan->cards, 0);
	return &card->address;
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
