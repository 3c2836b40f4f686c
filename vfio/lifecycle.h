/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "vfio/inventory.h"
#include "vfio/state.h"
#include "vfio/step.h"

/* The way of one function to vfio-pci and back, as steps. Pure: looks at nothing, does nothing. */

typedef struct {
	const char *reset_method; /* methods to leave, "" none; NULL: do not touch */
	gboolean own_node;	  /* FALSE: bound only, the node's owner stays */
	uid_t uid;
	gid_t gid;
} HvrPrepare;

/**
 * hvr_lifecycle_prepare - append the steps from @state to "on vfio-pci, owned by the VM's user".
 *
 * Order: reset policy and power first, while the host's driver still keeps the card awake and
 * before vfio-pci can touch it; then driver_override, unbind, drivers_probe; then power/control
 * again, as vfio-pci's probe turns it to "auto" (pm_runtime_allow in vfio_pci_core); the node
 * last. A step whose effect is there already is left out.
 */
void hvr_lifecycle_prepare(const HvrPciFunction *function, const HvrPciState *state,
			   const HvrPrepare *prepare, GPtrArray *steps);

/**
 * hvr_lifecycle_restore - append the steps from @now back to @saved.
 *
 * The node goes back before the card: once it is unbound there may be no node. reset_method comes
 * back only after vfio-pci was left, since the kernel resets a card that it closes. Idempotent:
 * from @saved itself no step follows.
 */
void hvr_lifecycle_restore(const HvrPciFunction *function, const HvrPciState *saved,
			   const HvrPciState *now, GPtrArray *steps);
