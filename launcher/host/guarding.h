/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/plan.h"
#include "launcher/runtime/context.h"

/**
 * hvr_guarding_begin - load the guard's module where the plan does so, and look what it keeps bus
 * resets from then. Before any card is touched. The module stays: modules are not unloaded.
 *
 * A card that it does not keep them from, such as where Secure Boot refuses the module, is told of,
 * unless its section requires it.
 * @out_failed: on failure the card that requires it in vain
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE, with why.
 */
gboolean hvr_guarding_begin(const HvrContext *context, const HvrPlan *plan,
			    const HvrPciFunction **out_failed, GError **error);
