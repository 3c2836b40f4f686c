/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/lock.h"

/*
 * Names for VMs that nobody has named: STEM-1, STEM-2 and so on. A stem that would make them too
 * long is cut.
 */

/**
 * hvr_name_take - the first of those that is free, with its lock: who calls this at the same moment
 * gets the next one. A name that the journal has cards of is not free.
 * @stem: a VM name
 * @out_name: (transfer full)
 * Returns: (transfer full): the lock hvr_lock_name_vm() of it; the caller hands it on or lets it go
 * Errors: HVR_LAUNCH_ERROR_BUSY: HVR_NAME_MOST of them run; of hvr_context_open_runtime(),
 * hvr_lock_try()
 */
HvrLock *hvr_name_take(HvrContext *context, const char *stem, char **out_name,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;
#define HVR_NAME_MOST 999

/* What hvr_name_take() would give now. Takes nothing, makes nothing. [transfer full] */
char *hvr_name_look(HvrContext *context, const char *stem) G_GNUC_WARN_UNUSED_RESULT;

/* Can @name be one that was made of @stem? */
gboolean hvr_name_is_made_of(const char *name, const char *stem);
