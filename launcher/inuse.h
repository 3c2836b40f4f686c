/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

/**
 * hvr_inuse_check - may these functions be taken from their drivers now?
 *
 * Asked before anything is changed: an unbind while a process has the
 * device open may hang for ever. Costs nothing for functions without a driver; the group's node
 * is asked (VFIO_GROUP_GET_STATUS) where there is one.
 * @functions: of HvrPciFunction, all of one IOMMU group
 *
 * Errors: HVR_VFIO_ERROR_BUSY naming each process with its command; HVR_LAUNCH_ERROR_UNAVAILABLE
 * for a mounted disk or the default route, which must not go away at all. The caller puts the
 * function's name in front.
 */
gboolean hvr_inuse_check(const HvrHost *host, const GPtrArray *functions, GError **error);

/* Is this group open in some process, by the kernel's word? FALSE also when it has no node. */
gboolean hvr_inuse_group(const HvrHost *host, int group);
