/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/runtime/journal.h"

/**
 * hvr_whereabouts - where is the function of a journal entry, by a look at the host as it is now?
 * "is back on hailo", "has no driver: 'hailo' is not there any more and nothing else takes it",
 * "is no longer on this host's bus". Changes nothing.
 * @inventory: read after the last change
 * @out_as_before: is it the same card, on the driver that it was on?
 * Returns: (transfer full)
 */
char *hvr_whereabouts(const HvrHost *host, const HvrInventory *inventory,
		      const HvrJournalEntry *entry,
		      gboolean *out_as_before) G_GNUC_WARN_UNUSED_RESULT;
