/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "launcher/process/user.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * HvrFacts - what this host is, as far as a profile's plan depends on it. Gathered once, before
 * anything is changed.
 */
typedef struct {
	HvrUser *user;	       /* who QEMU runs as */
	gboolean kvm;	       /* KVM works for that user */
	gboolean kvm_by_group; /* ... because of the group of its node */
	gid_t kvm_gid;
	char *kvm_problem; /* why not, or NULL */
	char *qemu_path;   /* absolute; NULL when there is no such program */
	gboolean vfio_pci; /* the driver is registered, or its module can be loaded */
	gboolean vfio_pci_loaded;
	char *vfio_problem;  /* why its module cannot be loaded, or NULL */
	char *iommu_advice;  /* what to do where there is no IOMMU group: the kernel argument */
	guint64 memlock_max; /* bytes that may be locked here; G_MAXUINT64: no limit */
} HvrFacts;

/**
 * hvr_facts_gather - ask the host. Opens /dev/kvm and asks for a VM, which it closes at once;
 * changes nothing.
 * Errors: HVR_LAUNCH_ERROR_PROFILE when [security] user does not exist.
 */
HvrFacts *hvr_facts_gather(const HvrContext *context, const HvrProfile *profile,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_facts_free(HvrFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrFacts, hvr_facts_free)
