/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"
#include "launcher/runtime/context.h"

/**
 * hvr_container_check - may @user open the VFIO container node, and does it work?
 *
 * The node is there before its module (kmod makes it from modules.devname), and opening it loads
 * the module: so ask only where hvr_container_is_there(). Changes nothing then. Errors:
 * HVR_LAUNCH_ERROR_UNAVAILABLE: there is no node, it is closed to that user, or has no type 1 IOMMU
 * behind it; with a hint
 */
gboolean hvr_container_check(const HvrContext *context, const HvrUser *user, GError **error);

/* Is VFIO loaded? By its module, or as part of the kernel, by its driver. */
gboolean hvr_container_is_there(const HvrContext *context);

/**
 * hvr_nodes_appear - will a node that the kernel makes show up below /dev? It does where devtmpfs
 * is mounted there; a container has a /dev of its own, which nobody fills. By the file system that
 * /proc/self/mountinfo names for the mount that /dev is on. TRUE also where that cannot be told.
 */
gboolean hvr_nodes_appear(const HvrHost *host);
