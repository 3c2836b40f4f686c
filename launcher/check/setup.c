/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `setup` made to last over boots: is it there, is it still what setup would write, and is it
 * still about the cards that are in this host? A card is known to it by its kind or by the slots on
 * the way to it, so bus numbers may change; a card in another slot is another card to it.
 *
 * No run depends on any of it: it does at run time what a VM needs. So the worst is a warning, and
 * a host that was never set up has none.
 */
#include "launcher/check/checking.h"

#include <fcntl.h>
#include <string.h>

#include "launcher/setup/cards.h"
#include "launcher/setup/drift.h"
#include "launcher/setup/show.h"
#include "vfio/fd.h"

#define SETUP "sudo hailo-vm-run setup"

/* The parts that name cards. */
#define CARD_PARTS                                                                                 \
	(1u << HVR_SETUP_EARLY_BIND | 1u << HVR_SETUP_RESET_POLICY | 1u << HVR_SETUP_PERMISSIONS)

/* "kernel-args, modprobe" */
static char *names_of_parts(guint parts)
{
	GString *text = g_string_new(NULL);

	for (guint part = 0; part < HVR_SETUP_N_PARTS; part++) {
		if (!(parts & (1u << part)))
			continue;
		if (text->len)
			g_string_append(text, ", ");
		g_string_append(text, hvr_setup_part_name((HvrSetupPart)part));
	}
	return g_string_free(text, FALSE);
}

/* The first difference in full, and how many there are behind it. */
static void say_drift(HvrCheck *check, const GPtrArray *changes)
{
	g_autofree char *drift = hvr_setup_show_drift(changes);
	g_autoptr(GString) text = g_string_new_len(drift, (gssize)strcspn(drift, "\n"));

	if (changes->len > 1)
		g_string_append_printf(text, ", and %u more", changes->len - 1);
	hvr_check_say(check, HVR_CHECK_WARN, "setup",
		      SETUP "; before that, --status lists all of it", "drifted: %s", text->str);
}

static gboolean is_known(const HvrSetupState *state, const HvrPciFunction *function)
{
	for (guint i = 0; i < state->cards->len; i++)
		if (hvr_setup_card_is(g_ptr_array_index(state->cards, i), function))
			return TRUE;
	return FALSE;
}

/* The first card of the claim that setup does not look for. */
static const HvrPciFunction *find_stranger(const HvrCheck *check, const HvrSetupState *state)
{
	for (guint i = 0; i < check->claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(check->claim->cards, i);
		if (!is_known(state, card->function))
			return card->function;
	}
	return NULL;
}

/* Appends "1e60:2864 is 0000:02:00.0 0000:03:00.0". FALSE: there is none */
static gboolean append_card(GString *text, const HvrCheck *check, const HvrSetupCard *card)
{
	const GPtrArray *all = hvr_inventory_functions(check->inventory);
	gboolean found = FALSE;

	if (text->len)
		g_string_append(text, ", ");
	g_string_append_printf(text, "%s is", card->spec);
	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		if (!hvr_setup_card_is(card, function))
			continue;
		g_string_append_printf(text, " %s", function->name);
		found = TRUE;
	}
	return found;
}

static void say_stranger(HvrCheck *check, const HvrPciFunction *stranger, const char *lost)
{
	const char *spec = stranger->path ? stranger->path : stranger->name;
	g_autofree char *fix = g_strdup_printf(SETUP " --device %s, and the others again", spec);

	if (lost)
		hvr_check_say(check, HVR_CHECK_WARN, "setup-cards", fix,
			      "%s is not what it was set up for, and there is no %s any more",
			      stranger->name, lost);
	else
		hvr_check_say(check, HVR_CHECK_WARN, "setup-cards", fix,
			      "%s is not what it was set up for", stranger->name);
}

static void judge_cards(HvrCheck *check, const HvrSetupState *state)
{
	const HvrPciFunction *stranger = find_stranger(check, state);
	g_autoptr(GString) where = g_string_new(NULL);
	const char *lost = NULL;

	for (guint i = 0; !lost && i < state->cards->len; i++) {
		const HvrSetupCard *card = g_ptr_array_index(state->cards, i);
		if (!append_card(where, check, card))
			lost = card->spec;
	}
	if (stranger)
		say_stranger(check, stranger, lost);
	else if (lost)
		hvr_check_say(check, HVR_CHECK_WARN, "setup-cards",
			      SETUP " --device CARD, for those that 'hailo-vm-run list' shows",
			      "there is no %s any more, which it was set up for", lost);
	else
		hvr_check_pass(check, "setup-cards", "%s", where->str);
}

/* Takes @error. */
static void say_unknown(HvrCheck *check, GError *error)
{
	const char *fix = "check as root";

	if (check->context->privileged)
		fix = "see 'hailo-vm-run setup --status'";
	hvr_check_warn(check, "setup", error, fix);
}

/* All files are as they should be, and something else has booted this host. */
static void say_without_effect(HvrCheck *check, const HvrSetupSystem *system, const char *lost)
{
	g_autofree char *advice = hvr_loader_advice(&system->loader, lost, NULL);
	g_autofree char *fix = g_strdup_printf("see what boots this host (bootctl status, "
					       "efibootmgr); by what is installed: %s",
					       advice);

	hvr_check_say(check, HVR_CHECK_WARN, "setup", fix,
		      "kernel-args is done, but this host was booted since without %s", lost);
}

static void check_state(HvrCheck *check, int target, const HvrSetupState *state)
{
	g_autoptr(HvrSetupSystem) system = hvr_setup_system_look(check->context, target, TRUE);
	g_autofree char *parts = names_of_parts(state->parts);
	const HvrSetupScope scope = { .target = target, .state = state, .parts = state->parts };
	GError *error = NULL;

	if (!hvr_setup_system_set_cpu(system, state->cpu))
		g_debug("setup was told of a processor '%s'", state->cpu);
	g_autofree char *lost = hvr_setup_without_effect(state, system);
	g_autoptr(GPtrArray) changes =
		hvr_setup_drift(&scope, system, check->context->setup_templates, &error);
	if (!changes)
		say_unknown(check, error);
	else if (changes->len > 0)
		say_drift(check, changes);
	else if (state->pending)
		hvr_check_say(check, HVR_CHECK_WARN, "setup", SETUP,
			      "not finished: its files are there, and what is made of them is not");
	else if (lost)
		say_without_effect(check, system, lost);
	else
		hvr_check_pass(check, "setup", "as set up: %s", parts);
	if (check->claim && (state->parts & CARD_PARTS))
		judge_cards(check, state);
}

void hvr_check_setup(HvrCheck *check)
{
	const char *root = check->context->system_root;
	GError *error = NULL;

	if (!root || check->context->captured)
		return;
	g_auto(HvrFd) target = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(HvrSetupState) state = hvr_setup_state_load(target, &error);
	if (!state)
		say_unknown(check, error);
	else if (!state->there)
		hvr_check_pass(check, "setup",
			       "not in place, which is no fault: each run does for itself what "
			       "it needs");
	else
		check_state(check, target, state);
}
