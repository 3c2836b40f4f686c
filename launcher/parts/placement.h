/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sched.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "vfio/address.h"

/* Where on the host a VM's memory and CPUs are. */

/**
 * hvr_placement_check - has this host the node, with enough memory, and the CPUs that [memory] and
 * [cpu] ask for, and may we run there? Changes nothing. Huge pages are hvr_hugepages_check()'s.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE
 */
gboolean hvr_placement_check(const HvrContext *context, const HvrProfile *profile,
			     const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_placement_node - the node that memory should come from for [memory] node = auto: the first
 * card's, so that what it reads and writes does not cross the host.
 * @card: (nullable): the first one
 * Returns: FALSE where there is no card, or no choice.
 */
gboolean hvr_placement_node(const HvrHost *host, const HvrProfile *profile,
			    const HvrPciAddress *card, guint *out_node);

/* [cpu] as the kernel takes it: where QEMU is started, and all of it runs whose place is not said
 * otherwise. Returns: FALSE: everywhere */
gboolean hvr_placement_cpus(const HvrProfile *profile, cpu_set_t *out_set);

/* Have virtual CPUs places of their own, which somebody has to give to QEMU's threads? */
gboolean hvr_placement_has_vcpus(const HvrProfile *profile);
/* That of one. Returns: FALSE: it runs where QEMU does */
gboolean hvr_placement_vcpu(const HvrProfile *profile, guint vcpu, cpu_set_t *out_set);
