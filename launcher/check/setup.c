/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `setup` made to last over boots: is it there, is it still what setup would write, and is it
 * still about the cards that are in this host? A card is known to it by its kind or by the slots on
 * the way to it, so bus numbers may change; a card in another slot is another card to it.
 *
 * No run depends on any of it: it does at run time what a VM needs. So the worst is a warning, and
 * a host that was never set up has none.
 */
#include "launcher/check/parts.h"

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

	for (guint part = 0; part < HVR_SETUP_N_PARTS; part++)
		if (parts & (1u << part))
			g_string_append_printf(text, "%s%s", text->len ? ", " : "",
					       hvr_setup_part_name((HvrSetupPart)part));
	return g_string_free(text, FALSE);
}

static void say_drift(HvrCheck *check, const GPtrArray *changes)
{
	g_autofree char *text = hvr_setup_show_drift(changes);
	g_autofree char *more =
		changes->len > 1 ? g_strdup_printf(", and %u more", changes->len - 1) : NULL;

	text[strcspn(text, "\n")] = '\0';
	hvr_check_say(check, HVR_CHECK_WARN, "setup", HVR_CHECK_HOST,
		      SETUP "; before that, --status lists all of it", "drifted: %s%s", text,
		      more ? more : "");
}

static void judge(HvrCheck *check, const HvrSetupState *state, const GPtrArray *changes)
{
	g_autofree char *parts = names_of_parts(state->parts);

	if (changes->len > 0)
		say_drift(check, changes);
	else if (state->pending)
		hvr_check_say(check, HVR_CHECK_WARN, "setup", HVR_CHECK_HOST, SETUP,
			      "not finished: its files are there, and what is made of them is not");
	else
		hvr_check_pass(check, "setup", HVR_CHECK_HOST, "as set up: %s", parts);
}

static gboolean is_known(const HvrSetupState *state, const HvrPciFunction *function)
{
	for (guint i = 0; i < state->cards->len; i++)
		if (hvr_setup_card_is(g_ptr_array_index(state->cards, i), function))
			return TRUE;
	return FALSE;
}

/* " 0000:02:00.0 0000:03:00.0"; FALSE when there is none. */
static gboolean append_addresses(GString *text, const HvrCheck *check, const HvrSetupCard *card)
{
	const GPtrArray *all = hvr_inventory_functions(check->inventory);
	gsize before = text->len;

	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		if (hvr_setup_card_is(card, function))
			g_string_append_printf(text, " %s", function->name);
	}
	return text->len > before;
}

/* "1e60:2864 is 0000:02:00.0"; NULL as soon as one is not there, which @out_lost then is. */
static char *where_cards_are(const HvrCheck *check, const HvrSetupState *state,
			     const char **out_lost)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < state->cards->len; i++) {
		const HvrSetupCard *card = g_ptr_array_index(state->cards, i);
		g_string_append_printf(text, "%s%s is", text->len ? ", " : "", card->spec);
		if (!append_addresses(text, check, card))
			return *out_lost = card->spec, NULL;
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
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

static void judge_cards(HvrCheck *check, const HvrSetupState *state)
{
	const HvrPciFunction *stranger = find_stranger(check, state);
	const char *lost = NULL;
	g_autofree char *where = where_cards_are(check, state, &lost);

	if (stranger) {
		g_autofree char *fix =
			g_strdup_printf(SETUP " --device %s, and the others again",
					stranger->path ? stranger->path : stranger->name);
		hvr_check_say(check, HVR_CHECK_WARN, "setup-cards", HVR_CHECK_HOST, fix,
			      "%s is not what it was set up for%s%s%s", stranger->name,
			      lost ? ", and there is no " : "", lost ? lost : "",
			      lost ? " any more" : "");
	} else if (lost) {
		hvr_check_say(check, HVR_CHECK_WARN, "setup-cards", HVR_CHECK_HOST,
			      SETUP " --device CARD, for those that 'hailo-vm-run list' shows",
			      "there is no %s any more, which it was set up for", lost);
	} else {
		hvr_check_pass(check, "setup-cards", HVR_CHECK_HOST, "%s", where);
	}
}

/* NULL with @error: it cannot be told. */
static GPtrArray *find_drift(HvrCheck *check, int target, const HvrSetupState *state,
			     GError **error)
{
	g_autoptr(HvrSetupHost) host = hvr_setup_host_look(check->context, target, TRUE);

	if (!hvr_setup_host_set_cpu(host, state->cpu))
		g_debug("setup was told of a processor '%s'", state->cpu);
	return hvr_setup_drift(target, host, state, state->parts, check->context->setup_templates,
			       error);
}

static void say_unknown(HvrCheck *check, GError *error)
{
	hvr_check_refuse(check, HVR_CHECK_UNSURE, "setup", HVR_CHECK_HOST, error,
			 check->context->privileged ? "see 'hailo-vm-run setup --status'"
						    : "check as root");
}

static void check_state(HvrCheck *check, int target, const HvrSetupState *state)
{
	GError *error = NULL;
	g_autoptr(GPtrArray) changes = find_drift(check, target, state, &error);

	if (!changes)
		say_unknown(check, error);
	else
		judge(check, state, changes);
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
		hvr_check_pass(check, "setup", HVR_CHECK_HOST,
			       "not in place, which is no fault: each run does for itself what "
			       "it needs");
	else
		check_state(check, target, state);
}
