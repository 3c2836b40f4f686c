/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/claim.h"
#include "launcher/host/judge.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "launcher/runtime/journal.h"
#include "vfio/inventory.h"
#include "vfio/state.h"
#include "vfio/step.h"

/**
 * HvrPlan - what will be done, all of it decided: the changes to the host in order, and what QEMU
 * gets. --dry-run prints it, the executor carries it out.
 */

/* One PCI function that changes hands. */
typedef struct {
	const HvrPciFunction *function;
	const HvrProfileDevice *device; /* the section that it comes from */
	char *id;	    /* QEMU's id; NULL: bound to vfio-pci only, for its group's sake */
	HvrAccess access;   /* to the function, once it is on vfio-pci */
	HvrPciState *state; /* before the first change, for the journal: the host's own state,
			       also when an earlier entry is taken over */
	GPtrArray *steps;   /* of HvrStep */
	HvrGuarding guarding;
	HvrPciState *found; /* of a prepared or kept card, which has a journal entry already: what
			       it is like now; NULL: the card comes from the host */
} HvrPlanFunction;

/* One PCI function that QEMU gets. */
typedef struct {
	char *id; /* QEMU's: the device section's name; its group's other endpoints get
		     "NAME-SLOT.FUNCTION"-like ids of their own */
	HvrPciAddress address;
	HvrAccess access; /* the way by which QEMU gets it */
	HvrBars bars;	  /* what it takes of its port's windows */
	/* whose properties it has in the guest; NULL: it is a companion, and has none */
	const HvrProfileDevice *device;
} HvrPlanCard;

typedef struct {
	GPtrArray *functions; /* of HvrPlanFunction */
	HvrStep *guard;	      /* loads the guard's module, before all else; or NULL */
	GPtrArray *first;     /* of HvrStep: before any function, such as loading vfio-pci */
	GPtrArray *cards;     /* of HvrPlanCard, what QEMU gets */
	GPtrArray *notes;     /* of char *: one line each, for the user */
	guint64 memlock_bytes;
	gboolean kvm;
	HvrDialect dialect;  /* QEMU's: of the facts */
	const HvrUser *user; /* who QEMU will be: of the facts */
} HvrPlan;

/**
 * hvr_plan_make - decide. Pure: everything it knows is in @input.
 *
 * Errors: HVR_VFIO_ERROR_NO_IOMMU (hint: the kernel argument), _NOT_VIABLE (every endpoint in the
 * way with its driver), _UNSUITABLE (dead, bridge), _TIMEOUT (a driver hangs in the card),
 * _PERMISSION; HVR_LAUNCH_ERROR_UNAVAILABLE (no QEMU, no vfio-pci, too little memory lock),
 * _PROFILE (a file that cannot be used), _PERMISSION (a plain user and an unprepared card).
 */
HvrPlan *hvr_plan_make(const HvrPlanInput *input, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_plan_free(HvrPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrPlan, hvr_plan_free)

/* (transfer none): the address of the first card that QEMU gets, or NULL. */
const HvrPciAddress *hvr_plan_first_card(const HvrPlan *plan);

/* QEMU's id of what @device brings along of its group. */
char *hvr_plan_companion_id(const HvrProfileDevice *device,
			    const HvrPciAddress *address) G_GNUC_WARN_UNUSED_RESULT;

/* The functions of the plan that a host driver still has: they must not be in use.
 * [transfer container] array of HvrPciFunction */
GPtrArray *hvr_plan_taken(const HvrPlan *plan) G_GNUC_WARN_UNUSED_RESULT;

/* Memory beyond the guest's RAM that QEMU may have to lock: ROMs, BARs, and room. */
#define HVR_PLAN_MEMLOCK_EXTRA (G_GUINT64_CONSTANT(1) << 30)
