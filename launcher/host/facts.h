/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "launcher/parts/firmware.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * HvrFacts - what this host is, as far as a profile's plan depends on it. Gathered once, before
 * anything is changed.
 */
typedef struct {
	gboolean privileged;
	/* The VM's user: who QEMU runs as. */
	uid_t uid;
	gid_t gid;
	char *user_name;
	gboolean kvm;	       /* KVM works for that user */
	gboolean kvm_by_group; /* ... because of the group of its node */
	gid_t kvm_gid;
	char *kvm_problem; /* why not, or NULL */
	char *qemu_path;   /* absolute; NULL when there is no such program */
	gboolean vfio_pci; /* the driver is registered, or its module can be loaded */
	gboolean vfio_pci_loaded;
	char *vfio_problem;    /* why its module cannot be loaded, or NULL */
	char *iommu_advice;    /* what to do where there is no IOMMU group: the kernel argument */
	guint64 memlock_max;   /* bytes that may be locked here; G_MAXUINT64: no limit */
	char *unreadable;      /* a file of the profile that is missing or that the VM's user
				  cannot use: a message; NULL when all is well */
	HvrFirmware *firmware; /* NULL: the profile wants none, or there is none */
	GPtrArray *share_ways; /* of HvrShareWay, one for each share; NULL: all by 9p */
	GError *lacking;       /* what keeps a part of the VM from being made, or NULL: parts.h */
} HvrFacts;

/**
 * hvr_facts_gather - ask the host.
 * @parts: also what the VM is made of beside its cards (parts.h); of no interest when it runs
 *
 * Opens /dev/kvm and asks for a VM, which it closes at once;
 * tries the profile's files, and a virtiofsd on its folders, as the VM's user in a child; changes
 * nothing.
 * Errors: HVR_LAUNCH_ERROR_PROFILE when [security] user does not exist; _BUSY: interrupted.
 */
HvrFacts *hvr_facts_gather(const HvrContext *context, const HvrProfile *profile, gboolean parts,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_facts_free(HvrFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrFacts, hvr_facts_free)
