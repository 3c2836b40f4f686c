/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/journal.h"

/**
 * Giving functions back to the host, from their journal entries and from what the host is like
 * now. Needs no memory of how they were taken: whoever holds the group's lock can do it, as often
 * as it takes.
 */

typedef enum {
	HVR_GIVEBACK_RESTORE, /* all of it as it was */
	HVR_GIVEBACK_KEEP,    /* stays on vfio-pci, for nobody: only the node goes back to root */
} HvrGivebackMode;

typedef struct {
	HvrGivebackMode mode;
	gboolean interruptible; /* a signal of termination ends it before the next function */
	gboolean forget; /* an entry that cannot be finished goes all the same, with a warning */
} HvrGivebackHow;

/* What became of one function. */
typedef struct {
	HvrPciAddress address;
	char name[HVR_PCI_ADDRESS_SIZE];
	GError *error;	    /* NULL: its entry has been finished */
	char *where;	    /* hvr_whereabouts() then; NULL: it was to be kept */
	gboolean as_before; /* that is: it is where it was */
} HvrGivebackResult;
/* @error: (transfer full) (nullable) */
HvrGivebackResult *hvr_giveback_result_new(const HvrJournalEntry *entry,
					   GError *error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_giveback_result_free(gpointer result);

/**
 * hvr_giveback_each - give @entries back, of groups whose locks the caller has.
 * @entries: of HvrJournalEntry; given back as hvr_giveback_order() says
 *
 * Every step of every entry is tried, also after one failed. An entry ends when all is as it was.
 * It ends, too, when the card has vanished or its address is another card's, which is not touched;
 * and when its driver is gone and modprobe does not find it by the card's alias: then override,
 * resets and power are as they were, and the driver is what the kernel has for it, or none.
 * It stays, to be tried again, when the driver does not take the card, or hangs: then the card is
 * held (hvr_health_failed()), unless hvr_giveback_one() undoes what was just begun. And it stays
 * when somebody has the group open, as unbinding would hang: then nothing of that group is tried.
 *
 * Returns: (transfer full): array of HvrGivebackResult, in that order. Errors in it:
 * HVR_VFIO_ERROR_BUSY for an open group, once for all of its members; of hvr_step_perform();
 * HVR_LAUNCH_ERROR_BUSY when interrupted.
 */
GPtrArray *hvr_giveback_each(const HvrContext *context, const GPtrArray *entries,
			     const HvrGivebackHow *how) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_giveback - the same, for who wants to know the first failure only.
 * Errors: those of hvr_giveback_each()
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
