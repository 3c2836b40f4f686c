/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"

/**
 * HvrTicket - a place in the queue for IOMMU groups: who waits is served in order of arrival.
 *
 * A ticket is a lock of its own, named after the moment of arrival, that says which groups would
 * do. It lives as long as its process; that of a killed one counts no more. Nobody takes a group
 * for which an earlier ticket stands, also who does not wait.
 */
typedef struct HvrTicket HvrTicket;

/**
 * hvr_queue_join - take a place behind everybody who waits now.
 * @groups: of int
 * Errors: G_IO_ERROR
 */
HvrTicket *hvr_queue_join(const HvrContext *context, const GArray *groups, const char *vm,
			  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* NULL is accepted. */
void hvr_queue_leave(HvrTicket *ticket);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrTicket, hvr_queue_leave)

/**
 * hvr_queue_turn - may the holder of @ticket take @group now?
 * @ticket: (nullable): somebody who has none comes last
 * @busy: (nullable): gets the names of the locks that are in the way, as hvr_lock_watch_wait()
 *        takes them
 * Errors: HVR_LAUNCH_ERROR_BUSY, naming who comes first
 */
gboolean hvr_queue_turn(const HvrContext *context, const HvrTicket *ticket, int group,
			GPtrArray *busy, GError **error);

/* Somebody who waits. */
typedef struct {
	char *vm; /* NULL: a command such as `prepare` */
	pid_t pid;
	gint64 since;	/* seconds since the epoch */
	GArray *groups; /* of int: those that would do */
} HvrWaiter;

/* Who waits now, who comes first in front. Takes no lock. (transfer full): of HvrWaiter */
GPtrArray *hvr_queue_list(const HvrContext *context) G_GNUC_WARN_UNUSED_RESULT;
