/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/health.h"
#include "launcher/host/occupancy.h"
#include "launcher/runtime/context.h"
#include "vfio/inventory.h"

/* Would `run` give this card to a VM that has no other? By its own judgements (judge.h), and no
 * further than was looked. */
typedef enum {
	HVR_PASSABLE_UNKNOWN, /* nothing is against it, but not all was seen */
	HVR_PASSABLE_YES,
	HVR_PASSABLE_NO,
} HvrPassableKind;

typedef struct {
	HvrPassableKind kind;
	char *why; /* one short line; NULL where it is YES */
	GPtrArray
		*blockers; /* of const HvrPciFunction *: who is in its way in its group; or NULL */
} HvrPassable;
void hvr_passable_clear(HvrPassable *passable);

/* "yes", "no: group 12 also has 0000:00:1f.3 snd_hda_intel", "unknown: ...". [transfer full] */
char *hvr_passable_describe(const HvrPassable *passable) G_GNUC_WARN_UNUSED_RESULT;

/* Answers for several cards, with one look at the host for all. */
typedef struct HvrPassableFinder HvrPassableFinder;

/**
 * hvr_passable_finder_new - look at the host as hvr_facts_gather() does, for a VM with a card and
 * without KVM. Changes nothing.
 * @context, @inventory: have to outlive the finder
 */
HvrPassableFinder *hvr_passable_finder_new(const HvrContext *context,
					   const HvrInventory *inventory) G_GNUC_WARN_UNUSED_RESULT;
void hvr_passable_finder_free(HvrPassableFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrPassableFinder, hvr_passable_finder_free)

/**
 * hvr_passable_find - judge @function. Changes nothing and wakes nothing: a card of a VM's is not
 * looked at any further, nor is config space read of what is in D3cold.
 * @occupancy, @health: what was found of it
 * @out_passable: to be cleared by hvr_passable_clear()
 */
void hvr_passable_find(const HvrPassableFinder *finder, const HvrPciFunction *function,
		       const HvrOccupancy *occupancy, const HvrHealth *health,
		       HvrPassable *out_passable);
