/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `list` says of each card whether a VM can have it. The answer is run's: the same judgements,
 * asked for a VM that has this card alone. What a VM depends on beside its card (QEMU, memory, its
 * files) is not asked, since it is no card's.
 */
#include "launcher/host/passable.h"

#include <string.h>

#include "launcher/host/facts.h"
#include "launcher/host/judge.h"
#include "launcher/host/offer.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"

/* The section of a VM that has one card; which one does not matter to those who judge. */
#define PROFILE "[vm]\nmemory = 1G\naccel = tcg\n[device card]\n"

struct HvrPassableFinder {
	const HvrContext *context;
	const HvrInventory *inventory;
	HvrProfile *profile;
	HvrFacts *facts; /* NULL: not to be had, and @no_facts says why */
	GError *no_facts;
	HvrOffer *offer; /* NULL: all are offered, or @no_offer says why none is */
	GError *no_offer;
};

/* What is asked of the host and of a card, what tells most first. */
static const struct {
	const char *id;
	const char *why; /* in short; NULL: as it is said */
} asked[] = {
	{ "cpu", NULL },
	{ "iommu", "no IOMMU is in use" },
	{ "card-domain", NULL },
	{ "card-alive", NULL },
	{ "card-group", NULL },
	{ "card-reserved", "the firmware keeps memory for its group" },
	{ "card-sriov", NULL },
	{ "interrupts", "interrupts are not remapped" },
	{ "vfio-pci", NULL },
	{ "vfio-type1", NULL },
	{ "vfio-container", NULL },
	{ "card-sysfs", NULL },
	{ "card-node", NULL },
};

void hvr_passable_clear(HvrPassable *passable)
{
	g_clear_pointer(&passable->why, g_free);
	g_clear_pointer(&passable->blockers, g_ptr_array_unref);
}

char *hvr_passable_describe(const HvrPassable *passable)
{
	static const char *const names[] = { [HVR_PASSABLE_UNKNOWN] = "unknown",
					     [HVR_PASSABLE_YES] = "yes",
					     [HVR_PASSABLE_NO] = "no" };

	if (!passable->why)
		return g_strdup(names[passable->kind]);
	return g_strdup_printf("%s: %s", names[passable->kind], passable->why);
}

HvrPassableFinder *hvr_passable_finder_new(const HvrContext *context, const HvrInventory *inventory)
{
	HvrPassableFinder *finder = g_new0(HvrPassableFinder, 1);

	finder->context = context;
	finder->inventory = inventory;
	finder->profile =
		hvr_profile_parse("list.ini", PROFILE, strlen(PROFILE), NULL, &finder->no_facts);
	if (finder->profile)
		finder->facts = hvr_facts_gather(context, finder->profile, &finder->no_facts);
	if (!context->captured)
		finder->offer = hvr_offer_look(context, inventory, &finder->no_offer);
	return finder;
}

void hvr_passable_finder_free(HvrPassableFinder *finder)
{
	if (!finder)
		return;
	hvr_facts_free(finder->facts);
	g_clear_pointer(&finder->profile, hvr_profile_free);
	hvr_offer_free(finder->offer);
	g_clear_error(&finder->no_facts);
	g_clear_error(&finder->no_offer);
	g_free(finder);
}

/* @why: (transfer full) */
static void answer(HvrPassable *passable, HvrPassableKind kind, char *why)
{
	passable->kind = kind;
	passable->why = why;
}

/* By what was found of it already. */
static gboolean is_taken(const HvrOccupancy *occupancy, const HvrHealth *health,
			 HvrPassable *passable)
{
	g_autofree char *who = hvr_occupancy_describe(occupancy);
	gboolean used =
		occupancy->kind == HVR_OCCUPANCY_VM || occupancy->kind == HVR_OCCUPANCY_PROCESS;

	if (health->kind == HVR_HEALTH_HELD || (health->kind == HVR_HEALTH_DEAD && !used))
		answer(passable, HVR_PASSABLE_NO, g_strdup(health->reason));
	else if (used)
		answer(passable, HVR_PASSABLE_NO, g_strconcat("in use by ", who, NULL));
	return passable->kind == HVR_PASSABLE_NO;
}

/* May this process have it at all? */
static gboolean is_offered(const HvrPassableFinder *finder, const HvrPciFunction *function,
			   HvrPassable *passable)
{
	g_autoptr(GError) error = NULL;

	if (!finder->no_offer && hvr_offer_has(finder->offer, function, &error))
		return TRUE;
	if (!error)
		error = g_error_copy(finder->no_offer);
	answer(passable, HVR_PASSABLE_NO, hvr_error_line(error, function->name));
	return FALSE;
}

/* "group 12 also has 0000:00:1f.3 snd_hda_intel and 2 more" */
static char *say_group(const HvrPciFunction *function, const GPtrArray *blockers)
{
	GString *text = g_string_new(NULL);
	const HvrPciFunction *first = g_ptr_array_index(blockers, 0);

	g_string_append_printf(text, "group %d also has %s %s", function->group, first->name,
			       first->driver);
	if (blockers->len > 1)
		g_string_append_printf(text, " and %u more", blockers->len - 1);
	return g_string_free(text, FALSE);
}

/* @i: the question that was answered with "no", by @refusal. */
static void refuse(gsize i, const HvrPlanInput *input, const HvrClaimedCard *card,
		   const GError *refusal, HvrPassable *passable)
{
	char *why = NULL;

	if (g_str_equal(asked[i].id, "card-group")) {
		passable->blockers = hvr_judge_blockers(input->inventory, input->claim, card);
		if (passable->blockers->len > 0)
			why = say_group(card->function, passable->blockers);
	}
	if (!why && asked[i].why)
		why = g_strdup(asked[i].why);
	if (!why)
		why = hvr_error_line(refusal, card->function->name);
	answer(passable, HVR_PASSABLE_NO, why);
}

static gboolean is_refused(const HvrPassableFinder *finder, const HvrPciFunction *function,
			   HvrPassable *passable)
{
	HvrClaimedCard card = { .device = g_ptr_array_index(finder->profile->devices, 0),
				.function = function };
	g_autoptr(GPtrArray) cards = g_ptr_array_new();
	const HvrClaim claim = { .cards = cards };

	g_ptr_array_add(cards, &card);
	g_autoptr(HvrPlanView) view =
		hvr_plan_look_asleep(finder->context, &claim, finder->inventory);
	const HvrPlanInput input = { .profile = finder->profile,
				     .facts = finder->facts,
				     .inventory = finder->inventory,
				     .claim = &claim,
				     .view = view,
				     .made_up = TRUE };
	for (gsize i = 0; i < G_N_ELEMENTS(asked); i++) {
		g_autoptr(GError) refusal = NULL;
		if (hvr_judge(asked[i].id, &input, &card, &refusal))
			continue;
		refuse(i, &input, &card, refusal, passable);
		return TRUE;
	}
	return FALSE;
}

/* What was not looked at; NULL: nothing that matters. [transfer full] */
static char *what_is_unseen(const HvrPassableFinder *finder, const HvrOccupancy *occupancy,
			    const HvrHealth *health)
{
	if (finder->context->captured)
		return g_strdup("nothing in this tree is against it");
	if (health->kind == HVR_HEALTH_UNKNOWN)
		return g_strdup(health->reason);
	if (occupancy->kind == HVR_OCCUPANCY_UNKNOWN)
		return g_strdup("who uses it cannot be seen");
	if (finder->facts->interrupts == HVR_INTERRUPTS_UNKNOWN)
		return g_strdup("whether interrupts are remapped cannot be seen");
	return NULL;
}

void hvr_passable_find(const HvrPassableFinder *finder, const HvrPciFunction *function,
		       const HvrOccupancy *occupancy, const HvrHealth *health,
		       HvrPassable *out_passable)
{
	*out_passable = (HvrPassable){ .kind = HVR_PASSABLE_UNKNOWN };
	if (is_taken(occupancy, health, out_passable) ||
	    !is_offered(finder, function, out_passable))
		return;
	if (!finder->facts) {
		out_passable->why = hvr_error_line(finder->no_facts, "list.ini");
		return;
	}
	if (is_refused(finder, function, out_passable))
		return;
	out_passable->why = what_is_unseen(finder, occupancy, health);
	if (!out_passable->why)
		out_passable->kind = HVR_PASSABLE_YES;
}
