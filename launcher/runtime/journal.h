/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/process.h"
#include "vfio/inventory.h"
#include "vfio/state.h"

/**
 * HvrJournalEntry - one function as the host had it, from before its first change until all of it
 * is given back. Who finds an entry whose owner is dead, and takes the group's lock, may undo it.
 *
 * On disk: devices/ADDRESS.ini, a readable key file with a version and a checksum. An entry that
 * is truncated, garbled or from a newer version is never applied and never overwritten.
 */
typedef struct {
	HvrPciAddress address;
	char name[HVR_PCI_ADDRESS_SIZE];
	guint16 vendor, device; /* an address may be another card's after a rescan */
	int group;
	HvrPciState *saved;
	char *vm;	  /* the VM that has it; NULL: prepared, or kept, for whoever comes */
	char *id;	  /* QEMU's id in that VM; NULL: bound only, for its group's sake */
	HvrProcess owner; /* who gives it back; pid 0: nobody, until `release` or a `run` */
	/* Whose it is: who had it taken (hvr_user_caller()), for which VM's user, and for which job
	 * (job.h). In an older entry nobody, HVR_JOURNAL_NOBODY, and NULL. */
	guint32 by, user;
	char *job;
	gint64 since; /* seconds since the epoch */
} HvrJournalEntry;

#define HVR_JOURNAL_NOBODY G_MAXUINT32

HvrJournalEntry *hvr_journal_entry_new(const HvrPciFunction *function, const HvrPciState *saved);
void hvr_journal_entry_free(HvrJournalEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrJournalEntry, hvr_journal_entry_free)

/**
 * hvr_journal_check - may an entry for @address be written? Not over one that we cannot read.
 * Errors: HVR_LAUNCH_ERROR_INTERNAL, as hvr_journal_parse().
 */
gboolean hvr_journal_check(int runtime, const HvrPciAddress *address, GError **error);

/**
 * hvr_journal_write - make @entry durable; when this returns TRUE a crash cannot lose it.
 * @runtime: the runtime folder
 * Errors: of hvr_journal_check(); HVR_LAUNCH_ERROR_UNAVAILABLE when the entry would not be read
 * back as it is; G_IO_ERROR.
 */
gboolean hvr_journal_write(int runtime, const HvrJournalEntry *entry,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Durable too. Success when there is none. Errors: of hvr_journal_check(); G_IO_ERROR. */
gboolean hvr_journal_remove(int runtime, const HvrPciAddress *address, GError **error);

/**
 * hvr_journal_list - every entry, sorted by address.
 * @out_damaged: (nullable) (transfer full): messages for files that are no entries we can read
 * Returns: (transfer full): array of HvrJournalEntry; empty when there is no journal
 */
GPtrArray *hvr_journal_list(int runtime, GPtrArray **out_damaged) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none): the entry of @address among @entries, or NULL. */
HvrJournalEntry *hvr_journal_find(const GPtrArray *entries, const HvrPciAddress *address);

/* The same of @function itself, not of a card that had its address before. */
HvrJournalEntry *hvr_journal_find_card(const GPtrArray *entries, const HvrPciFunction *function);

/* The text of an entry, and back. Errors: HVR_LAUNCH_ERROR_INTERNAL with what is wrong and what
 * to do about it; @name is the file's, for the message. Pure. */
char *hvr_journal_format(const HvrJournalEntry *entry) G_GNUC_WARN_UNUSED_RESULT;
HvrJournalEntry *hvr_journal_parse(const char *name, const char *text, gsize length,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;
