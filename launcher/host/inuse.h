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

/* The refusal of a function with @what of hvr_inuse_vital(). */
void hvr_inuse_refuse_vital(const HvrPciFunction *function, const char *what, GError **error);

/* What of this function the host cannot do without: "a disk in use (/)", "the default route
 * (eth0)". (nullable) (transfer full) */
char *hvr_inuse_vital(const HvrHost *host,
		      const HvrPciFunction *function) G_GNUC_WARN_UNUSED_RESULT;
