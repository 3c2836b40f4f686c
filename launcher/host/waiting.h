/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/lock-watch.h"
#include "vfio/inventory.h"

/**
 * hvr_waiting_tell - who waits for a card says which one, and who has it: an event "waiting", and a
 * message. Once for each reason.
 * @busy: of char *, the locks that are in the way; empty: a process of the host is
 * @cause: why no card is to be had now
 * @told: (inout): what was told last; the caller frees it
 */
void hvr_waiting_tell(const HvrContext *context, const HvrInventory *inventory,
		      const GPtrArray *busy, const GError *cause, char **told);

/* Shows that this process waits for a card, until hvr_progress_end(). */
void hvr_waiting_begin(void);

/* And in which place of the queue it is, among those who wait for the same cards. */
void hvr_waiting_show_place(const HvrContext *context);

/* As hvr_lock_watch_wait(), and what is due to be shown meanwhile is. */
gboolean hvr_waiting_wait(HvrLockWatch *watch, const GPtrArray *names, gint64 deadline_us);
