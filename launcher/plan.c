/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * (profile, facts) -> plan.
 *
 * Judged from the cheap and certain to the particular: is there a QEMU, are the files there, has
 * the card an IOMMU group, does it answer, may the rest of the group be touched. Only when all of
 * it is settled are there steps.
 */
#include "launcher/plan.h"

#include "launcher/cmdline.h"
#include "launcher/error.h"
#include "vfio/error.h"
#include "vfio/lifecycle.h"
#include "vfio/reset.h"

#define VFIO_PCI "vfio-pci"

static void plan_function_free(HvrPlanFunction *planned)
{
	g_free(planned->id);
	hvr_pci_state_free(planned->state);
	g_ptr_array_unref(planned->steps);
	g_free(planned);
}

static void cmdline_card_free(HvrCmdlineCard *card)
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
	plan->cards = g_ptr_array_new_with_free_func((GDestroyNotify)cmdline_card_free);
	plan->notes = g_ptr_array_new_with_free_func(g_free);
	return plan;
}

/* Everything that the decision looks at, so that it need not be handed on piece by piece. */
typedef struct {
	const HvrProfile *profile;
	const HvrFacts *facts;
	const HvrInventory *inventory;
	const HvrClaim *claim;
	const HvrPlanView *view;
	HvrPlan *plan;
} Planning;

static gboolean unavailable(GError **error, const char *message, const char *hint)
{
	g_set_error_literal(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, message);
	if (hint)
		hvr_error_hint(error, "%s", hint);
	return FALSE;
}

static gboolean judge_memlock(const Planning *how, GError **error)
{
	guint64 needed = how->profile->memory_bytes;

	how->plan->memlock_bytes = needed + HVR_PLAN_MEMLOCK_EXTRA;
	if (how->claim->cards->len == 0 || how->facts->memlock_max >= needed)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "user %s may lock %" G_GUINT64_FORMAT " MiB of memory, and a VM with a card "
		    "locks all of its %" G_GUINT64_FORMAT " MiB",
		    how->facts->user_name, how->facts->memlock_max >> 20, needed >> 20);
	hvr_error_hint(error,
		       "raise the limit: '%s hard memlock unlimited' in "
		       "/etc/security/limits.d/, then log in again",
		       how->facts->user_name);
	return FALSE;
}

static gboolean judge_host(const Planning *how, GError **error)
{
	const HvrFacts *facts = how->facts;

	if (!facts->qemu_path) {
		g_autofree char *message = g_strdup_printf("there is no program '%s' on this host",
							   how->profile->qemu_binary);
		return unavailable(error, message,
				   "install QEMU (Debian, Ubuntu: apt install qemu-system-x86), or "
				   "set [qemu] binary");
	}
	if (facts->unreadable) {
		g_set_error_literal(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
				    facts->unreadable);
		hvr_error_hint(error, "QEMU runs as that user: give it access, or set "
				      "[security] user");
		return FALSE;
	}
	if (how->profile->accel == HVR_ACCEL_KVM && !facts->kvm)
		return unavailable(error, facts->kvm_problem, "or set accel = tcg, which is slow");
	if (how->claim->cards->len && !facts->vfio_pci)
		return unavailable(error, facts->vfio_problem,
				   "it belongs to the kernel's package; look for 'blacklist "
				   "vfio-pci' in /etc/modprobe.d/");
	how->plan->kvm = facts->kvm && how->profile->accel != HVR_ACCEL_TCG;
	if (how->profile->accel == HVR_ACCEL_AUTO && !facts->kvm)
		g_ptr_array_add(how->plan->notes,
				g_strdup_printf("warning: %s: emulating, which is slow",
						facts->kvm_problem));
	return judge_memlock(how, error);
}

static gboolean judge_card(const Planning *how, const HvrClaimedCard *card, GError **error)
{
	const HvrPciFunction *function = card->function;
	const char *dead = g_hash_table_lookup(how->view->dead, function);

	if (function->group < 0 || function->noiommu) {
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NO_IOMMU,
			    "%s: %s, so it cannot be given to a VM", function->name,
			    function->noiommu ? "it is in a no-IOMMU group, which protects nothing"
					      : "it has no IOMMU group");
		hvr_error_hint(error, "%s", how->facts->iommu_advice);
		return FALSE;
	}
	if (dead) {
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE, "%s", dead);
		hvr_error_hint(error, "power the host off and on: a warm reboot does not bring it "
				      "back");
		return FALSE;
	}
	return TRUE;
}

static const HvrClaimedCard *claimed(const HvrClaim *claim, const HvrPciFunction *function)
{
	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		if (card->function == function)
			return card;
	}
	return NULL;
}

/* The endpoints of @card's group that no section of the profile names. */
static GPtrArray *group_companions(const Planning *how, const HvrClaimedCard *card)
{
	const GPtrArray *group = hvr_inventory_group(how->inventory, card->function->group);
	GPtrArray *companions = g_ptr_array_new();

	for (guint i = 0; i < group->len; i++) {
		HvrPciFunction *member = g_ptr_array_index(group, i);
		if (!hvr_pci_function_is_bridge(member) && !claimed(how->claim, member))
			g_ptr_array_add(companions, member);
	}
	return companions;
}

static gboolean refuse_group(const HvrClaimedCard *card, const GPtrArray *blockers, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < blockers->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(blockers, i);
		g_string_append_printf(text, "%s%s (%04x:%04x, driver %s)", i ? ", " : "",
				       member->name, member->vendor, member->device,
				       member->driver);
	}
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_NOT_VIABLE,
		    "%s: IOMMU group %d is not viable: the host uses %s of it",
		    card->function->name, card->function->group, text->str);
	hvr_error_hint(error,
		       "set group = bind in [device %s] to take %s from the host while the VM "
		       "runs, group = pass to give %s to the VM too, or use a slot that has a "
		       "group of its own",
		       card->device->id, blockers->len == 1 ? "it" : "them",
		       blockers->len == 1 ? "it" : "them");
	return FALSE;
}

static gboolean judge_group(const HvrClaimedCard *card, const GPtrArray *companions, GError **error)
{
	g_autoptr(GPtrArray) blockers = g_ptr_array_new();

	for (guint i = 0; i < companions->len; i++) {
		HvrPciFunction *member = g_ptr_array_index(companions, i);
		if (hvr_pci_function_blocks(member))
			g_ptr_array_add(blockers, member);
	}
	if (blockers->len == 0 || card->device->group != HVR_GROUP_REFUSE)
		return TRUE;
	return refuse_group(card, blockers, error);
}

/* The methods to leave on a function: the profile's word, else the quirk table's, else as is. */
static const char *reset_policy(const HvrProfileDevice *device, const HvrPciFunction *function)
{
	if (g_str_equal(device->reset, "keep"))
		return NULL;
	if (!g_str_equal(device->reset, "auto"))
		return device->reset;
	return function->quirk ? function->quirk->reset_method : NULL;
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
static HvrPciState *original_state(const Planning *how, const HvrPciFunction *function,
				   const HvrPciState *now, gboolean *out_adopted)
{
	const HvrJournalEntry *entry = hvr_journal_find(how->view->journal, &function->address);

	*out_adopted =
		entry && entry->vendor == function->vendor && entry->device == function->device;
	return hvr_pci_state_copy(*out_adopted ? entry->saved : now);
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
	const char *reset = id ? reset_policy(device, function) : NULL;
	HvrPrepare prepare = { .reset_method = reset,
			       .own_node = TRUE,
			       .uid = how->facts->uid,
			       .gid = how->facts->gid };

	*planned = (HvrPlanFunction){
		.function = function, .device = device, .id = id, .steps = hvr_steps_new()
	};
	planned->state = original_state(how, function, now, &planned->adopted);
	hvr_lifecycle_prepare(function, now, &prepare, planned->steps);
	g_ptr_array_add(how->plan->functions, planned);
	if (!id)
		return;

	HvrCmdlineCard *card = g_new(HvrCmdlineCard, 1);
	*card = (HvrCmdlineCard){ .id = g_strdup(id), .address = function->address };
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
	if (!judge_card(how, card, error))
		return FALSE;
	g_autoptr(GPtrArray) companions = group_companions(how, card);
	if (!judge_group(card, companions, error))
		return FALSE;
	for (guint i = 0; i < companions->len; i++)
		if (!g_hash_table_contains(how->view->states, g_ptr_array_index(companions, i)))
			return unavailable(error, "a PCI function vanished while it was looked at",
					   "try again");
	add_function(how, card->function, card->device, g_strdup(card->device->id));
	add_companions(how, card, companions);
	return TRUE;
}

/* A plain user changes nothing; the card must have been prepared. */
static gboolean judge_plain_user(const Planning *how, GError **error)
{
	for (guint i = 0; i < how->plan->functions->len; i++) {
		HvrPlanFunction *planned = g_ptr_array_index(how->plan->functions, i);
		const HvrPciState *now = g_hash_table_lookup(how->view->states, planned->function);
		if (!g_hash_table_contains(how->view->usable, planned->function) ||
		    g_strcmp0(now->driver, VFIO_PCI) != 0) {
			g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
				    "%s: it is not prepared for user %s, and only root can do that",
				    planned->function->name, how->facts->user_name);
			hvr_error_hint(error, "run this as root (sudo), or once: sudo hailo-vm-run "
					      "prepare PROFILE");
			return FALSE;
		}
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

HvrPlan *hvr_plan_make(const HvrProfile *profile, const HvrFacts *facts,
		       const HvrInventory *inventory, const HvrClaim *claim,
		       const HvrPlanView *view, GError **error)
{
	g_autoptr(HvrPlan) plan = plan_new();
	Planning how = { profile, facts, inventory, claim, view, plan };

	if (!judge_host(&how, error))
		return NULL;
	for (guint i = 0; i < claim->cards->len; i++)
		if (!plan_card(&how, g_ptr_array_index(claim->cards, i), error))
			return NULL;
	if (!facts->privileged && !judge_plain_user(&how, error))
		return NULL;
	if (!facts->vfio_pci_loaded && any_probe(plan))
		g_ptr_array_add(plan->first, hvr_step_new(HVR_STEP_LOAD_MODULE, NULL, VFIO_PCI));
	return g_steal_pointer(&plan);
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
