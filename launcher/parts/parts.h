/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/facts.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/*
 * The parts of a VM that the launcher makes or opens for it, beside its cards: new disks, variables
 * of UEFI, taps. Each has a file of its own; these are the questions to all of them.
 */

/* Could they all be made on this host? Changes nothing.
 * Returns: (transfer full): the first "no", or NULL. */
GError *hvr_parts_ask(const HvrContext *context, const HvrProfile *profile,
		      const HvrFacts *facts) G_GNUC_WARN_UNUSED_RESULT;

/* Adds a line for each thing that will be made and stays, or is not as one might expect, to @notes,
 * of char *. */
void hvr_parts_describe(const HvrProfile *profile, const HvrFacts *facts, GPtrArray *notes);

/* Makes the files that are missing, before QEMU is started. */
gboolean hvr_parts_create(const HvrProfile *profile, const HvrFacts *facts,
			  GError **error) G_GNUC_WARN_UNUSED_RESULT;
