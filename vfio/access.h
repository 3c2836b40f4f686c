/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "vfio/host.h"
#include "vfio/inventory.h"

/**
 * HvrAccess - the node that whoever opens it reaches a card by. A value: it holds nothing, and
 * whether the node is there is asked anew each time. It comes with the first VFIO driver of a
 * group and goes with the last.
 *
 * Where nodes are and what they are called is vfio_group_devnode() and vfio_devnode() of Linux's
 * drivers/vfio; nobody else in this program knows.
 */

/* The way to @function that a VM takes: its IOMMU group; NONE where it has none. */
HvrAccess hvr_access_of(const HvrPciFunction *function);
/* Of a group by its number, which is negative for none. */
HvrAccess hvr_access_of_group(int group);

/* Below /dev: "vfio/14", "vfio/devices/vfio3"; "" for NONE, which names nothing. [transfer full] */
char *hvr_access_path(HvrAccess access) G_GNUC_WARN_UNUSED_RESULT;
/* The access whose path this is; NONE: it is any other node's. */
HvrAccess hvr_access_parse(const char *path);

/* As the kernel and udev have its device: class/SUBSYSTEM/NAME below /sys. Not of NONE. */
const char *hvr_access_subsystem(HvrAccess access);
char *hvr_access_name(HvrAccess access) G_GNUC_WARN_UNUSED_RESULT;

/* open(2) of the node, as hvr_open_beneath(). Opens no VFIO device by it, so resets no card. */
int hvr_access_open(const HvrHost *host, HvrAccess access, int flags) G_GNUC_WARN_UNUSED_RESULT;

/* Is the node there? */
gboolean hvr_access_exists(const HvrHost *host, HvrAccess access);

/* May this process open it for reading and writing? FALSE also when it is not there. */
gboolean hvr_access_is_usable(const HvrHost *host, HvrAccess access);

/**
 * hvr_access_wait - wait until the node is there, by inotify.
 * devtmpfs makes it before bind returns, so this waits only where nodes come from elsewhere.
 * Errors: HVR_VFIO_ERROR_TIMEOUT
 */
gboolean hvr_access_wait(const HvrHost *host, HvrAccess access, guint timeout_ms, GError **error);

/**
 * hvr_access_is_open - has some process got it open, by the kernel's word?
 * @out_open: FALSE also when there is no node, and for whoever may not open that and so cannot
 *	      ask: for good then, and a write that hangs has its deadline
 * Errors: of access_status(), such as for lack of descriptors; it is then not known to be closed.
 */
gboolean hvr_access_is_open(const HvrHost *host, HvrAccess access, gboolean *out_open,
			    GError **error);

/**
 * hvr_access_wait_closed - the same, when it has been waited for that all have closed it.
 *
 * A close is heard by inotify: a moment before the kernel is done with it, and not at all where
 * the opener has another node of that number (a container's own). So it is also looked at ten times
 * a second.
 * @until_us: monotonic
 * @out_open: somebody had it open to the last
 * Errors: as hvr_access_is_open()
 */
gboolean hvr_access_wait_closed(const HvrHost *host, HvrAccess access, gint64 until_us,
				gboolean *out_open, GError **error);

/* Has the node this owner and mode? FALSE also when it is not there. */
gboolean hvr_access_is_owned(const HvrHost *host, HvrAccess access, const HvrNodeOwner *owner);

/* Linux's part of HvrKernel; all others call it by that. */

/**
 * hvr_access_status - HvrKernel's access_status().
 * VFIO answers for a group only: of a CDEV it is only told that it has no node. Errors: G_IO_ERROR
 * from errno, _NOT_SUPPORTED for a CDEV with a node.
 */
gboolean hvr_access_status(const HvrHost *host, HvrAccess access, HvrAccessStatus *out_status,
			   GError **error);

/* HvrKernel's may_open(). */
int hvr_access_may_open(const HvrHost *host, const char *node);

/**
 * hvr_access_own - HvrKernel's own_access().
 * Opened O_PATH | O_NOFOLLOW and checked first, so that what is changed is the node itself and
 * nothing that a link leads to. Errors: G_IO_ERROR
 */
gboolean hvr_access_own(const HvrHost *host, HvrAccess access, const HvrNodeOwner *owner,
			GError **error);
