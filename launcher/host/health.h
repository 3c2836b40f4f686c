/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/occupancy.h"
#include "launcher/runtime/context.h"
#include "launcher/runtime/holds.h"
#include "vfio/inventory.h"

/* Is a card fit to be given away? */
typedef enum {
	HVR_HEALTH_OK,	    /* its config space answers */
	HVR_HEALTH_DEAD,    /* it does not, or another card does */
	HVR_HEALTH_HELD,    /* by an administrator, or by this program since it failed */
	HVR_HEALTH_UNKNOWN, /* it is not asked now */
} HvrHealthKind;

typedef struct {
	HvrHealthKind kind;
	char *reason; /* one line; NULL: it is OK */
} HvrHealth;
void hvr_health_clear(HvrHealth *health);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrHealth, hvr_health_clear)

/* "ok", "dead", "held", "unknown". */
const char *hvr_health_name(HvrHealthKind kind);

/**
 * hvr_health_answers - does it answer? By a read of eight bytes of config space, and nothing else.
 * Not asked: a function in D3cold, which that would wake.
 * Returns: TRUE also where it was not asked. Errors: of hvr_pci_function_alive()
 */
gboolean hvr_health_answers(const HvrContext *context, const HvrPciFunction *function,
			    GError **error);

/**
 * hvr_health_find - all that is known without waking, waiting or changing anything. A card that a
 * VM has is not asked: while that resets it, the kernel has whoever reads config space wait.
 * @holds: (nullable): NULL: they are not to be read, which is then UNKNOWN
 * @out_health: to be cleared by hvr_health_clear()
 */
void hvr_health_find(const HvrContext *context, const GPtrArray *holds,
		     const HvrPciFunction *function, const HvrOccupancy *occupancy,
		     HvrHealth *out_health);

/**
 * hvr_health_failed - hold @function, as it cannot be relied on: it failed to bind, or could not be
 * given back. Said as a warning. One that is held already stays as it is, and so does one that the
 * caller may not hold.
 * @why: what happened
 */
void hvr_health_failed(const HvrContext *context, const HvrPciFunction *function,
		       const GError *why);
