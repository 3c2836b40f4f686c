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

/**
 * HvrUdevWatch - hears what udev has finished with, from the moment it is made.
 * udev sets owner and mode of a node only where a rule says so, but then some time after the
 * kernel's event: whoever chowns must come after it.
 */
typedef struct HvrUdevWatch HvrUdevWatch;

/* NULL where no udev runs: then there is nothing to wait for. */
HvrUdevWatch *hvr_udev_watch_new(const HvrHost *host, const char *subsystem);
void hvr_udev_watch_free(HvrUdevWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrUdevWatch, hvr_udev_watch_free)

/* Waits until udev has finished with device @name. FALSE at the deadline. NULL watch: TRUE. */
gboolean hvr_udev_watch_wait(HvrUdevWatch *watch, const char *name, guint timeout_ms);
