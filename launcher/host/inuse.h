/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"
#include "vfio/inventory.h"

/**
 * hvr_inuse_check - may this function be taken from its driver now?
 *
 * Asked before anything is changed: an unbind while a process has the device open may hang for
 * ever. Costs nothing for a function without a driver; the access to it is asked
 * (VFIO_GROUP_GET_STATUS) where there is one.
 *
 * Errors: "ADDRESS: in use by ...": HVR_VFIO_ERROR_BUSY naming each process with its command;
 * HVR_LAUNCH_ERROR_UNAVAILABLE for a mounted disk or the default route, which must not go away at
 * all.
 */
gboolean hvr_inuse_check(const HvrHost *host, const HvrPciFunction *function, GError **error);

/**
 * hvr_inuse_is_open - has somebody the access to @function open, and not just about to close it?
 *
 * That QEMU has ended does not say that its cards are closed. Whoever reads its /proc/PID/stat as
 * it dies, such as ps, or a command of ours that looks whether it lives, has its memory for that
 * moment (get_task_mm() in do_task_stat(), Linux's fs/proc/array.c). The BARs are mapped there, so
 * it is in that reader that the kernel closes the devices then, and resets one after the other,
 * for a second each; and a main thread may have ended before the thread that closes. Nobody has a
 * descriptor then. So: a short wait for those who have only asked for the group's status; then a
 * process that has it open has it, and where none can be named the close is waited for.
 *
 * @until_us: monotonic; until when at most
 * @out_opener: (nullable) (transfer full): who has it, "qemu (pid 7, has /dev/vfio/14 open)"; NULL
 *		where nobody can be named
 * Errors: as hvr_access_is_open()
 */
gboolean hvr_inuse_is_open(const HvrHost *host, const HvrPciFunction *function, gint64 until_us,
			   gboolean *out_open, char **out_opener, GError **error);

/* The refusal of a function with @what of hvr_inuse_vital(). */
void hvr_inuse_refuse_vital(const HvrPciFunction *function, const char *what, GError **error);

/* What of this function the host cannot do without: "a disk in use (/)", "the default route
 * (eth0)". (nullable) (transfer full) */
char *hvr_inuse_vital(const HvrHost *host,
		      const HvrPciFunction *function) G_GNUC_WARN_UNUSED_RESULT;
