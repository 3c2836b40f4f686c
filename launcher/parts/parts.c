/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order in which a VM's parts are asked for and made. What is asked changes nothing, so that
 * `check` and `--dry-run` say what `run` would.
 */
#include "launcher/parts/parts.h"

#include "launcher/parts/disk-image.h"
#include "launcher/parts/nvram.h"
#include "launcher/parts/placement.h"
#include "launcher/parts/seed.h"
#include "launcher/parts/share.h"
#include "launcher/parts/tap.h"

typedef gboolean (*Question)(const HvrContext *context, const HvrProfile *profile,
			     const HvrFacts *facts, GError **error);

static const Question questions[] = {
	hvr_placement_check, hvr_taps_check,	    hvr_nvram_check,
	hvr_seed_check,	     hvr_disk_images_check, hvr_shares_check
};

GError *hvr_parts_ask(const HvrContext *context, const HvrProfile *profile, const HvrFacts *facts)
{
	GError *error = NULL;

	for (gsize i = 0; !context->captured && i < G_N_ELEMENTS(questions); i++)
		if (!questions[i](context, profile, facts, &error))
			return error;
	return NULL;
}

void hvr_parts_describe(const HvrProfile *profile, const HvrFacts *facts, GPtrArray *notes)
{
	hvr_disk_images_describe(profile, notes);
	hvr_shares_describe(profile, facts, notes);
}

gboolean hvr_parts_create(const HvrProfile *profile, const HvrFacts *facts, GError **error)
{
	return hvr_nvram_create(profile, facts, error) &&
	       hvr_disk_images_create(profile, facts, error);
}
