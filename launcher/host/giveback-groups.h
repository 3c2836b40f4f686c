/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/host/giveback.h"

/* Giving back whole groups, of any number, by who has none of their locks yet or some of them. */

/**
 * hvr_giveback_groups - lock what is not locked yet, read the entries again, give them back in one
 * order over all groups, and give the locks up that were taken for this.
 * @locks: (nullable): of HvrLock, what the caller has
 * Returns: (transfer full): array of HvrGivebackResult, those of hvr_giveback_each() and one for
 * each group that could not be locked. Entries that the journal no longer has are in none.
 */
GPtrArray *hvr_giveback_groups(const HvrContext *context, const GPtrArray *entries,
			       const GPtrArray *locks,
			       const HvrGivebackHow *how) G_GNUC_WARN_UNUSED_RESULT;

/* Was it left to somebody else, who has its group's lock? */
gboolean hvr_giveback_is_elsewhere(const HvrGivebackResult *result);

/**
 * hvr_giveback_still_there - those of @entries that the journal still has, with the same owner.
 * Asked under the group's lock: until that is held, somebody else may give them back, and another
 * run may take the card and write an entry of its own.
 * Returns: (transfer full): array of HvrJournalEntry, in the same order
 */
GPtrArray *hvr_giveback_still_there(const HvrContext *context,
				    const GPtrArray *entries) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_giveback_dead - give back what owners that are gone have left, where nobody else is at it.
 * Entries whose group is locked (a QEMU that outlived its supervisor) are passed over.
 * @out_problems: (nullable) (transfer full): a message for each entry that could not be given back,
 *		  or whose function is not as it was all the same
 * Returns: the number of functions that are as they were again, by a look at the host
 */
guint hvr_giveback_dead(const HvrContext *context, GPtrArray **out_problems);
