/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "vfio/host.h"

/* The node of a group, /dev/vfio/N: it comes with the first VFIO driver and goes with the last. */

/**
 * hvr_node_wait - wait until the group's node is there, by inotify.
 * devtmpfs makes it before bind returns, so this waits only where nodes come from elsewhere.
 * Errors: HVR_VFIO_ERROR_TIMEOUT
 */
gboolean hvr_node_wait(const HvrHost *host, int group, guint timeout_ms, GError **error);

/**
 * hvr_node_own - set owner and mode of the group's node.
 * Opened O_PATH | O_NOFOLLOW and checked first, so that what is changed is the node itself and
 * nothing that a link leads to. Errors: G_IO_ERROR
 */
gboolean hvr_node_own(const HvrHost *host, int group, uid_t uid, gid_t gid, mode_t mode,
		      GError **error);

/* Has the group's node this owner and mode? FALSE also when it is not there. */
gboolean hvr_node_is_owned(const HvrHost *host, int group, uid_t uid, gid_t gid, mode_t mode);
