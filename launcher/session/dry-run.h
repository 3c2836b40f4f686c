/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/plan.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * hvr_dry_run - --dry-run: the very plan that hvr_run() would carry out, on standard output.
 * Changes nothing; a busy card is an error here as there.
 * @changes: also the changes to the host, before QEMU's command line
 */
gboolean hvr_dry_run(HvrContext *context, const HvrProfile *profile, gboolean changes,
		     GError **error);

/* What is to be told of a plan before it is carried out, on standard error. */
void hvr_dry_run_notes(const HvrPlan *plan);
