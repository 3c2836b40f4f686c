/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a section says of resets, held against what can be had: by the module that keeps bus resets
 * away, and by where the card sits.
 */
#include "launcher/host/judge.h"

#include <string.h>

#include "launcher/report/error.h"
#include "vfio/guard.h"

/* Without the module a bus reset comes all the same, whatever `reset` says: it is asked for where
 * that leaves less than the kernel has, and no bus reset. */
static gboolean is_wanted(const HvrProfileDevice *device, const char *policy)
{
	if (device->reset_guard == HVR_RESET_GUARD_REQUIRE)
		return TRUE;
	return device->reset_guard == HVR_RESET_GUARD_AUTO && policy && !hvr_reset_by_bus(policy);
}

/* Who keeps the kernel's choice has bus resets where that has no others: such a card would be reset
 * by nothing any more. Of one that is prepared already the journal has what the kernel's was. */
static gboolean has_bus_alone(const HvrPlanInput *input, const HvrPciFunction *function)
{
	const HvrJournalEntry *entry = hvr_journal_find_card(input->view->journal, function);
	const HvrPciState *now = g_hash_table_lookup(input->view->states, function);

	if (entry)
		now = entry->saved;
	return now && now->reset_method && hvr_reset_by_bus(now->reset_method) &&
	       !hvr_reset_by_function(now->reset_method);
}

/* Would the module take from @function what its section wants? */
static gboolean takes_bus(const HvrPlanInput *input, const HvrProfileDevice *device,
			  const HvrPciFunction *function)
{
	const char *policy = hvr_judge_reset_policy(device, function);

	if (!hvr_guard_would_keep(input->view->guard, function) || is_wanted(device, policy))
		return FALSE;
	return policy ? hvr_reset_by_bus(policy) : has_bus_alone(input, function);
}

/* The module takes all cards that it is for: does the VM want bus resets of one of them? */
static gboolean is_in_the_way(const HvrPlanInput *input)
{
	const GPtrArray *cards = input->claim->cards;

	for (guint i = 0; i < cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(cards, i);
		g_autoptr(GPtrArray) companions =
			hvr_judge_companions(input->inventory, input->claim, card);

		if (takes_bus(input, card->device, card->function))
			return TRUE;
		for (guint k = 0; k < companions->len; k++) {
			const HvrPciFunction *member = g_ptr_array_index(companions, k);
			if (hvr_judge_is_passed(card, member) &&
			    takes_bus(input, card->device, member))
				return TRUE;
		}
	}
	return FALSE;
}

HvrGuarding hvr_judge_guarding(const HvrPlanInput *input, const HvrProfileDevice *device,
			       const HvrPciFunction *function)
{
	const HvrGuard *guard = input->view->guard;

	if (hvr_guard_keeps(guard, function))
		return HVR_GUARDING_THERE;
	if (!input->facts->user->privileged || !hvr_guard_would_keep(guard, function) ||
	    !is_wanted(device, hvr_judge_reset_policy(device, function)) || is_in_the_way(input))
		return HVR_GUARDING_NONE;
	return HVR_GUARDING_COMES;
}

/* Why it is not there for @function, and what would help. */
static void explain(const HvrPlanInput *input, const HvrPciFunction *function, GError **error)
{
	const HvrGuard *guard = input->view->guard;

	if (guard->problem) {
		hvr_error_hint(error,
			       "%s: install package " HVR_GUARD_MODULE
			       "-dkms, or build vfio/guard of the sources",
			       guard->problem);
		return;
	}
	if (hvr_guard_would_keep(guard, function) && input->facts->user->privileged) {
		hvr_error_hint(error, "another section of the profile asks for bus resets of a "
				      "card that the module would take, too, or keeps them where "
				      "the kernel has no others: leave them out there");
		return;
	}
	if (hvr_guard_would_keep(guard, function)) {
		hvr_error_hint(error, "only root can load it: modprobe " HVR_GUARD_MODULE
				      "; for every boot: sudo hailo-vm-run setup guard");
		return;
	}
	hvr_error_hint(error,
		       "it is told of cards by 'options " HVR_GUARD_MODULE
		       " ids=%04x:%04x' in /etc/modprobe.d/%s",
		       function->vendor, function->device,
		       guard->loaded ? ", and loaded anew while no VM has a card" : "");
}

static gboolean judge_required(const HvrPlanInput *input, const HvrClaimedCard *card,
			       GError **error)
{
	const HvrGuard *guard = input->view->guard;
	const char *seen = "is not loaded";

	/* Nobody has asked modprobe, as in a captured tree: what it would say is not known. */
	if (card->device->reset_guard != HVR_RESET_GUARD_REQUIRE ||
	    (!guard->loaded && !guard->options && !guard->problem) ||
	    hvr_judge_guarding(input, card->device, card->function) != HVR_GUARDING_NONE)
		return TRUE;
	if (guard->loaded)
		seen = "is loaded for others";
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "%s: reset-guard = require, and module " HVR_GUARD_MODULE " %s",
		    card->function->name, seen);
	explain(input, card->function, error);
	return FALSE;
}

static gboolean refuse_list(const HvrPciFunction *function, const char *policy, const char *why,
			    const char *hint, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "%s: reset = %s, and %s",
		    function->name, policy, why);
	hvr_error_hint(error, "%s", hint);
	return FALSE;
}

/* The first method of @policy that the card has not got what it takes for, and that the kernel had
 * in no list of it; or NULL. [transfer full] */
static char *find_incapable(const HvrPlanInput *input, const HvrPciFunction *function,
			    const char *policy)
{
	const HvrPciState *now = g_hash_table_lookup(input->view->states, function);
	const HvrJournalEntry *entry = hvr_journal_find_card(input->view->journal, function);
	const char *incapable = g_hash_table_lookup(input->view->incapable, function);
	g_auto(GStrv) wanted = g_strsplit(policy, " ", -1);

	for (guint i = 0; incapable && wanted[i]; i++)
		if (*wanted[i] && hvr_reset_has(incapable, wanted[i]) &&
		    !hvr_reset_has(now->reset_method, wanted[i]) &&
		    !(entry && hvr_reset_has(entry->saved->reset_method, wanted[i])))
			return g_strdup(wanted[i]);
	return NULL;
}

/* The kernel refuses a whole list for one method that the function has not (reset_method_store() in
 * Linux's drivers/pci/pci.c): no reset of a bus with the flag, or of a root bus
 * (pci_reset_bus_function() there). */
static gboolean judge_list(const HvrPlanInput *input, const HvrClaimedCard *card,
			   const HvrPciFunction *function, GError **error)
{
	const char *policy = hvr_judge_reset_policy(card->device, function);
	const HvrPciState *now = g_hash_table_lookup(input->view->states, function);

	if (!policy || !now || !now->reset_method)
		return TRUE;
	if (hvr_reset_by_bus(policy) && hvr_guard_keeps(input->view->guard, function))
		return refuse_list(function, policy,
				   "module " HVR_GUARD_MODULE " keeps bus resets from it",
				   "leave out the bus, or unload the module while no VM has a "
				   "card: rmmod " HVR_GUARD_MODULE,
				   error);
	if (hvr_reset_by_bus(policy) && function->path && !strchr(function->path, '/'))
		return refuse_list(function, policy, "it is on a root bus, which cannot be reset",
				   "leave out the bus, or set reset = keep", error);
	g_autofree char *method = find_incapable(input, function, policy);
	if (!method)
		return TRUE;
	g_autofree char *why = g_strdup_printf("it cannot be reset by %s", method);
	return refuse_list(function, policy, why,
			   "'lspci -vv' has FLReset+ for flr, NoSoftRst- for pm; what the kernel "
			   "offers by itself has 'hailo-vm-run list --json' (reset_method)",
			   error);
}

gboolean hvr_judge_resets(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	g_autoptr(GPtrArray) companions =
		hvr_judge_companions(input->inventory, input->claim, card);

	if (!judge_required(input, card, error) || !judge_list(input, card, card->function, error))
		return FALSE;
	for (guint i = 0; i < companions->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(companions, i);
		if (hvr_judge_is_passed(card, member) && !judge_list(input, card, member, error))
			return FALSE;
	}
	return TRUE;
}
