/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every question is asked, also after the first "no": who prepares a host wants to see all that is
 * missing. The verdicts are those of the plan (judge.h), and the last question is what `run` itself
 * would decide now, so a host that passes is one on which run goes on to its first change.
 *
 * Without a profile one is made up that asks for every accelerator of this host.
 */
#include "launcher/check/check.h"

#include <string.h>

#include "launcher/check/checking.h"
#include "launcher/host/card-word.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"

static void result_free(gpointer data)
{
	HvrCheckResult *result = data;

	g_free(result->subject);
	g_free(result->seen);
	g_free(result->fix);
	g_free(result);
}

GPtrArray *hvr_check_results_new(void)
{
	return g_ptr_array_new_with_free_func(result_free);
}

/* @seen, @fix: (transfer full) */
static void add(HvrCheck *check, HvrCheckStatus status, const char *id, char *seen, char *fix)
{
	HvrCheckResult *result = g_new(HvrCheckResult, 1);

	*result = (HvrCheckResult){ .id = id,
				    .status = status,
				    .subject = g_strdup(check->subject),
				    .seen = seen,
				    .fix = fix };
	g_ptr_array_add(check->results, result);
}

gboolean hvr_check_wants_cards(const HvrCheck *check)
{
	return check->profile->devices->len > 0;
}

void hvr_check_pass(HvrCheck *check, const char *id, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(check, HVR_CHECK_PASS, id, g_strdup_vprintf(format, args), NULL);
	va_end(args);
}

void hvr_check_say(HvrCheck *check, HvrCheckStatus status, const char *id, const char *fix,
		   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(check, status, id, g_strdup_vprintf(format, args), g_strdup(fix));
	va_end(args);
}

/* Takes @error. */
static void add_error(HvrCheck *check, HvrCheckStatus status, const char *id, GError *error,
		      const char *fix)
{
	g_autoptr(GError) owned = error;
	g_autofree char *in_front = g_strconcat(check->subject, ": ", NULL);
	const char *message = owned->message;

	/* The subject is printed in front anyway. */
	if (g_str_has_prefix(message, in_front))
		message += strlen(in_front);
	g_auto(GStrv) lines = g_strsplit(message, "\n", 2);
	if (lines[0] && lines[1])
		fix = lines[1];
	add(check, status, id, g_strdup(lines[0]), g_strdup(fix));
}

void hvr_check_refuse(HvrCheck *check, const char *id, GError *error, const char *fix)
{
	add_error(check, HVR_CHECK_FAIL, id, error, fix);
}

void hvr_check_warn(HvrCheck *check, const char *id, GError *error, const char *fix)
{
	add_error(check, HVR_CHECK_WARN, id, error, fix);
}

void hvr_check_unknown(HvrCheck *check, const char *id, GError *error, const char *fix)
{
	add_error(check, HVR_CHECK_UNKNOWN, id, error, fix);
}

HvrPlanInput hvr_check_input(const HvrCheck *check)
{
	return (HvrPlanInput){ .profile = check->profile,
			       .facts = check->facts,
			       .parts = check->parts,
			       .inventory = check->inventory,
			       .claim = check->claim,
			       .view = check->view,
			       .made_up = !check->named };
}

gboolean hvr_check_ask(HvrCheck *check, const char *id, const HvrClaimedCard *card)
{
	const HvrPlanInput input = hvr_check_input(check);
	GError *error = NULL;

	if (hvr_judge(id, &input, card, &error))
		return TRUE;
	hvr_check_refuse(check, id, error, HVR_CHECK_SEE_RUN);
	return FALSE;
}

/* One [device] section for each accelerator, by address; where there is none, one in vain, so that
 * all is asked that a card would need. @inventory: (nullable) */
static HvrProfile *make_profile(const HvrInventory *inventory, GError **error)
{
	g_autoptr(GString) text = g_string_new("[vm]\nmemory = 1G\n");
	const GPtrArray *all = NULL;
	gboolean any = FALSE;

	if (inventory)
		all = hvr_inventory_functions(inventory);
	for (guint i = 0; all && i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		if (!function->quirk)
			continue;
		g_string_append_printf(text, "[device card%u]\naddress = %s\n", i, function->name);
		any = TRUE;
	}
	if (!any)
		g_string_append(text, "[device card]\n");
	return hvr_profile_parse("check.ini", text->str, text->len, NULL, error);
}

static void say_refused(const HvrProfileDevice *device, GError *error, gpointer data)
{
	HvrCheck *check = data;
	g_autofree char *subject = g_strdup_printf("device '%s'", device->id);

	if (!check->named) {
		g_error_free(error);
		return;
	}
	check->subject = subject;
	hvr_check_refuse(check, "card", error, "name another card by match, address or path");
	check->subject = HVR_CHECK_HOST;
}

/* It has been said already. */
static void ignore_refused(const HvrProfileDevice *device, GError *error, gpointer data)
{
	g_error_free(error);
}

/* As `run` does: where any card will do, one of which a question is answered with "no" is none. */
static gboolean avoid_refused(HvrCheck *check, GHashTable *avoid)
{
	const HvrPlanInput input = hvr_check_input(check);

	for (guint i = 0; i < check->claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(check->claim->cards, i);
		if (card->device->pick == HVR_PICK_FREE &&
		    !g_hash_table_contains(avoid, card->function) &&
		    !hvr_judge_all(HVR_JUDGE_CARD, &input, card, NULL))
			return g_hash_table_add(avoid, (gpointer)card->function);
	}
	return FALSE;
}

static void choose_cards(HvrCheck *check, const HvrOffer *offer)
{
	g_autoptr(GHashTable) avoid = g_hash_table_new(NULL, NULL);
	HvrClaimHow how = { .offer = offer, .avoid = avoid, .refused = say_refused, .data = check };

	do {
		g_clear_pointer(&check->view, hvr_plan_view_free);
		g_clear_pointer(&check->claim, hvr_claim_free);
		check->claim = hvr_claim_choose(check->context, check->profile->devices,
						check->inventory, &how);
		check->view = hvr_plan_look(check->context, check->claim, check->inventory);
		how.refused = ignore_refused;
	} while (avoid_refused(check, avoid));
}

static void find_cards(HvrCheck *check)
{
	g_autoptr(HvrOffer) offer = NULL;
	GError *no_offer = NULL;

	/* What a profile means is what its run would be offered; else all there is. */
	if (check->named && hvr_check_wants_cards(check))
		offer = hvr_offer_look(check->context, check->inventory, &no_offer);
	if (no_offer)
		hvr_check_refuse(check, "card", no_offer, HVR_CHECK_SEE_RUN);
	choose_cards(check, offer);
	if (!check->named && check->claim->cards->len == 0)
		hvr_check_refuse(check, "card",
				 g_error_new_literal(HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
						     "no known accelerator"),
				 "see that the card is seated and powered, and look for 1e60 in "
				 "'lspci -nn'; for any other card name a PROFILE");
}

/* What only who wants a card depends on. */
static void ask_for_cards(HvrCheck *check)
{
	if (!hvr_check_wants_cards(check)) {
		hvr_check_pass(check, "card",
			       "no card in this profile: the host's IOMMU and VFIO were not asked");
		return;
	}
	hvr_check_iommu(check);
	hvr_check_vfio(check);
}

static void ask_all(HvrCheck *check)
{
	hvr_check_machine(check);
	ask_for_cards(check);
	hvr_check_security(check);
	hvr_check_qemu(check);
	if (check->inventory) {
		find_cards(check);
		hvr_check_cards(check);
	}
	hvr_check_profile(check);
	if (hvr_check_wants_cards(check))
		hvr_check_setup(check);
	if (check->named)
		hvr_check_decision(check);
}

/* Asked anew, however well it is known: who checks wants to see it work. */
static void ask_qemu(HvrCheck *check)
{
	HvrFacts *facts = check->facts;

	if (facts->qemu_path && !check->context->captured)
		facts->qemu =
			hvr_qemu_ask(check->context, check->profile, facts->user, facts->qemu_path);
}

/* A VM without a card needs no PCI bus of the host. */
static void read_inventory(HvrCheck *check)
{
	g_autoptr(GError) no_pci = NULL;

	check->inventory = hvr_inventory_read(&check->context->host, &no_pci);
	if (no_pci && !(check->profile && !hvr_check_wants_cards(check)))
		hvr_check_refuse(check, "pci", g_steal_pointer(&no_pci),
				 "see that sysfs is mounted on /sys, and that this host has PCI");
}

/* All but the results. */
static void check_clear(HvrCheck *check)
{
	g_clear_pointer(&check->view, hvr_plan_view_free);
	g_clear_pointer(&check->claim, hvr_claim_free);
	g_clear_pointer(&check->inventory, hvr_inventory_free);
	g_clear_pointer(&check->parts, hvr_parts_free);
	g_clear_pointer(&check->facts, hvr_facts_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrCheck, check_clear)

GPtrArray *hvr_check_run(HvrContext *context, HvrProfile *profile, GError **error)
{
	g_autoptr(GPtrArray) results = hvr_check_results_new();
	g_autoptr(HvrProfile) made = NULL;
	GError *no_user = NULL;
	g_auto(HvrCheck) check = { .context = context,
				   .profile = profile,
				   .named = profile != NULL,
				   .subject = HVR_CHECK_HOST,
				   .results = results };

	read_inventory(&check);
	if (!profile) {
		made = make_profile(check.inventory, error);
		check.profile = made;
	}
	if (!check.profile)
		return NULL;
	check.facts = hvr_facts_gather(context, check.profile, &no_user);
	if (check.facts)
		check.parts = hvr_parts_gather(context, check.profile, check.facts->user, &no_user);
	if (check.parts) {
		ask_qemu(&check);
		ask_all(&check);
	} else {
		hvr_check_refuse(&check, "user", no_user,
				 "set [security] user to one that is not root");
	}
	return g_steal_pointer(&results);
}

/* The lines of @function, by the profile of a VM that has nothing but it. */
static gboolean ask_card(HvrCheck *check, const HvrPciFunction *function, GError **error)
{
	g_autofree char *text =
		g_strdup_printf("[vm]\nmemory = 1G\n[device card]\naddress = %s\n", function->name);
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse("check.ini", text, strlen(text), NULL, error);
	GError *no_user = NULL;

	if (!profile)
		return FALSE;
	check->profile = profile;
	check->facts = hvr_facts_gather(check->context, profile, &no_user);
	if (check->facts) {
		find_cards(check);
		hvr_check_cards(check);
		check_clear(check);
		return TRUE;
	}
	hvr_check_refuse(check, "user", no_user, "set [security] user to one that is not root");
	return TRUE;
}

GPtrArray *hvr_check_card(HvrContext *context, const char *word, GError **error)
{
	g_autoptr(GPtrArray) results = hvr_check_results_new();
	g_auto(HvrCheck) check = {
		.context = context, .one_card = TRUE, .subject = word, .results = results
	};
	GError *cause = NULL;
	const HvrPciFunction *function = NULL;

	check.inventory = hvr_inventory_read(&context->host, &cause);
	if (check.inventory)
		function = hvr_card_of_word(check.inventory, word, &cause);
	if (g_error_matches(cause, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE)) {
		g_propagate_error(error, cause);
		return NULL;
	}
	if (cause)
		hvr_check_refuse(&check, check.inventory ? "card" : "pci", cause,
				 "see that it is seated and powered");
	else if (!ask_card(&check, function, error))
		return NULL;
	return g_steal_pointer(&results);
}

int hvr_check_exit_status(const GPtrArray *results)
{
	int status = 0;

	for (guint i = 0; i < results->len; i++) {
		const HvrCheckResult *result = g_ptr_array_index(results, i);
		if (result->status == HVR_CHECK_FAIL)
			return 1;
		if (result->status == HVR_CHECK_UNKNOWN)
			status = 2;
	}
	return status;
}

const char *hvr_check_status_name(HvrCheckStatus status)
{
	static const char *const names[] = { [HVR_CHECK_PASS] = "PASS",
					     [HVR_CHECK_WARN] = "WARN",
					     [HVR_CHECK_FAIL] = "FAIL",
					     [HVR_CHECK_UNKNOWN] = "UNKNOWN" };

	return names[status];
}
