/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/plan.h"
#include "launcher/runtime/context.h"

/* For whom the cards are prepared. */
typedef struct {
	const char *vm;	  /* NULL: for nobody yet (`prepare`) */
	HvrProcess owner; /* who gives them back; {0, 0} with @vm NULL */
} HvrOwnership;

/**
 * hvr_execute - carry the plan out: for each function its journal entry, fsynced, then its steps.
 *
 * The caller holds the groups' locks. What a failure leaves half done is undone before this
 * returns, in the order of hvr_giveback_order(); what cannot be undone then stays in the journal,
 * is named in the error's hint, and `release` finishes it. Modules stay loaded. Afterwards the VM's
 * user can open the group's node, and VFIO says that the group is viable.
 *
 * A function that vfio-pci does not get is held (hvr_health_failed()).
 * @out_failed: (nullable): the function that a failure is about, so that with another one it may
 *		go; NULL: with none
 */
gboolean hvr_execute(const HvrContext *context, const HvrPlan *plan, const HvrOwnership *ownership,
		     const HvrPciFunction **out_failed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
