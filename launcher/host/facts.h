/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "launcher/host/iommu.h"
#include "launcher/host/qemu-answers.h"
#include "launcher/process/user.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * HvrFacts - what this host is, as far as a profile's plan depends on it. Gathered once, before
 * anything is changed.
 */
typedef struct {
	HvrUser *user;	       /* who QEMU runs as */
	gboolean arm_cpu;      /* a captured tree's: nothing of this is built for Arm */
	gboolean kvm;	       /* KVM works for that user */
	gboolean kvm_by_group; /* ... because of the group of its node */
	gid_t kvm_gid;
	char *kvm_problem;  /* why not, and */
	char *kvm_advice;   /* what to do about it; or NULL */
	char *qemu_path;    /* absolute; NULL when there is no such program */
	char *install_qemu; /* how this host gets one: hvr_install_command() */
	HvrQemu *qemu;	    /* what it says of itself; NULL: nothing against it, or not asked */
	/* its command line's; all FALSE when it was not asked or does not tell */
	HvrDialect dialect;
	gboolean vfio_pci; /* the driver is registered, or its module can be loaded */
	gboolean vfio_pci_loaded;
	char *vfio_problem;   /* why its module cannot be loaded, or NULL */
	char *iommu_advice;   /* what to do where there is no IOMMU group: the kernel argument */
	guint64 memlock_max;  /* bytes that may be locked here; G_MAXUINT64: no limit */
	guint64 memory_bytes; /* that this host has; G_MAXUINT64: it does not say */

	/* For a profile with cards; else all is well. */
	char *acs_override;	       /* hvr_isolation_pretended() */
	gboolean iommu_on;	       /* functions have groups that protect */
	char *iommu_seen;	       /* what there is instead where not; else NULL */
	HvrInterrupts interrupts;      /* are they remapped? */
	const char *interrupts_advice; /* what to do where they are not */
	gboolean unsafe_allowed;       /* VFIO was told not to mind where they are not */
	char *type1_problem;	       /* why vfio_iommu_type1 cannot be loaded, or NULL */
	GError *container_problem;     /* of hvr_container_check(), or NULL */
	gboolean nodes_appear;	       /* hvr_nodes_appear() */
} HvrFacts;

/**
 * hvr_facts_gather - ask the host. Opens /dev/kvm and asks for a VM, which it closes at once;
 * changes nothing. Of a captured tree only what the tree shows is a fact; the rest is as if well.
 * Errors: HVR_LAUNCH_ERROR_PROFILE when [security] user does not exist.
 */
HvrFacts *hvr_facts_gather(const HvrContext *context, const HvrProfile *profile,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* HvrFacts.memory_bytes by itself. */
guint64 hvr_facts_memory(const HvrHost *host);

/**
 * hvr_facts_ask_qemu - hear QEMU itself, unless it is known to be good (hvr_qemu_recall()).
 * @remember: and have it known from now on
 */
void hvr_facts_ask_qemu(const HvrContext *context, const HvrProfile *profile, gboolean remember,
			HvrFacts *facts);
void hvr_facts_free(HvrFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrFacts, hvr_facts_free)
