/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "launcher/runtime/context.h"

/* What `status` says of VMs that have ended. */

/**
 * hvr_status_ended_find - one's own, and as root those of all users.
 * @name: (nullable): no other
 * Returns: (transfer full): of HvrOtherEnded, the newest first of each user; .user is NULL of one's
 * own
 */
GPtrArray *hvr_status_ended_find(const HvrContext *context,
				 const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* For the key "ended". [transfer full] */
JsonArray *hvr_status_ended_to_json(const GPtrArray *ended) G_GNUC_WARN_UNUSED_RESULT;

/* A line for each, on standard output. */
void hvr_status_ended_print(const GPtrArray *ended);

/**
 * hvr_status_forget - what is left of one's own VMs that have ended goes.
 * @name: (nullable): of this one
 * Returns: the exit status; -1 with @error: nothing is known of it, or it is not for us to remove
 */
int hvr_status_forget(const HvrContext *context, const char *name, GError **error);
