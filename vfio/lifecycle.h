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

typedef struct {
	const HvrPciState *saved; /* what it was like */
	const HvrPciState *now;
	gboolean driver_gone; /* the kernel no longer has the driver of @saved */
} HvrRestore;

/**
 * hvr_lifecycle_restore - append the steps back to what the function was like.
 *
 * The node goes back before the card: once it is unbound there may be no node. reset_method comes
 * back only after vfio-pci was left, since the kernel resets a card that it closes. Idempotent:
 * from the saved state itself no step follows.
 * With the driver gone the function leaves vfio-pci, and the kernel is asked once for whatever
 * driver it has now. One that it is on already has been given it by somebody else, and stays.
 */
void hvr_lifecycle_restore(const HvrPciFunction *function, const HvrRestore *restore,
			   GPtrArray *steps);
