/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a journal entry: as they are, and once more with a checksum that fits, as else
 * nothing would ever get past it.
 *
 * What must hold: a refusal is of the one kind and has one hint. What is taken is within its
 * bounds, and from its first writing on it is the same entry, byte for byte, each time.
 */
#include <stdint.h>
#include <string.h>

#include "launcher/report/error.h"
#include "launcher/runtime/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(const GError *error)
{
	const char *newline = strchr(error->message, '\n');

	g_assert(g_error_matches(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL));
	g_assert(newline && newline[1] && !strchr(newline + 1, '\n'));
}

static void check_entry(const HvrJournalEntry *entry)
{
	HvrPciAddress address;

	g_assert(hvr_pci_address_parse(entry->name, &address));
	g_assert(hvr_pci_address_compare(&address, &entry->address) == 0);
	g_assert(entry->group >= 0);
	g_assert(entry->owner.pid >= 0);
	g_assert(entry->since >= 0);
	g_assert((entry->saved->node_mode & ~07777u) == 0);
	g_assert(entry->saved->has_node || entry->saved->node_uid == 0);
}

static void check_round_trip(const HvrJournalEntry *entry)
{
	g_autofree char *text = hvr_journal_format(entry);
	g_autoptr(HvrJournalEntry) back = hvr_journal_parse("back", text, strlen(text), NULL);

	g_assert(back);
	check_entry(back);
	g_autofree char *again = hvr_journal_format(back);
	g_assert_cmpstr(text, ==, again);
}

static void run(const char *text, gsize length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(HvrJournalEntry) entry = hvr_journal_parse("fuzz", text, length, &error);

	g_assert(!entry == !!error);
	if (error) {
		check_refusal(error);
		return;
	}
	check_entry(entry);
	check_round_trip(entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, size);
	g_autoptr(GString) text = g_string_new_len((const char *)data, (gssize)size);

	run(text->str, text->len);
	g_string_append_printf(text, "# sha256 %s\n", sum);
	run(text->str, text->len);
	return 0;
}
