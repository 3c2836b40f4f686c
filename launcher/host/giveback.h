/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/journal.h"

/**
 * Giving functions back to the host, from their journal entries and from what the host is like
 * now. Needs no memory of how they were taken: whoever holds the group's lock can do it, as often
 * as it takes. Each entry is removed when its function is as it was.
 */

typedef enum {
	HVR_GIVEBACK_RESTORE, /* all of it as it was */
	HVR_GIVEBACK_KEEP,    /* stays on vfio-pci, for nobody: only the node goes back to root */
} HvrGivebackMode;

/**
 * hvr_giveback - give @entries back.
 * @entries: of HvrJournalEntry; given back as hvr_giveback_order() says
 *
 * Every step of every entry is tried, also after one failed. A function that has vanished, or
 * whose address is another card's now, has nothing to be given back: its entry goes.
 * Errors: the first failure; the entries that are not finished stay. HVR_VFIO_ERROR_BUSY, with
 * nothing changed, while somebody has the group open: unbinding would hang.
 */
gboolean hvr_giveback(const HvrContext *context, const GPtrArray *entries, HvrGivebackMode mode,
		      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_giveback_one - undo what a plan has done to one function.
 * @found: (nullable): what a function that was prepared before was like when the plan took it over:
 *	   back to that, and the host's own state stays in @entry. NULL: back to the host
 * Errors: of hvr_giveback()
 */
gboolean hvr_giveback_one(const HvrContext *context, HvrJournalEntry *entry,
			  const HvrPciState *found, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_giveback_order - @entries as they are given back: in the order of what their drivers had made
 * (hvr_pci_state_compare_devnodes()), or else the last one that was taken first.
 * Returns: (transfer container)
 */
GPtrArray *hvr_giveback_order(const GPtrArray *entries) G_GNUC_WARN_UNUSED_RESULT;

/* The entries among @entries that are in @vm. [transfer container] */
GPtrArray *hvr_giveback_of_vm(const GPtrArray *entries, const char *vm) G_GNUC_WARN_UNUSED_RESULT;

/* The entries among @entries of one IOMMU group. [transfer container] */
GPtrArray *hvr_giveback_of_group(const GPtrArray *entries, int group) G_GNUC_WARN_UNUSED_RESULT;

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
 * @out_problems: (nullable) (transfer full): a message for each entry that could not be given back
 * Returns: the number of functions that were given back
 */
guint hvr_giveback_dead(const HvrContext *context, GPtrArray **out_problems);
