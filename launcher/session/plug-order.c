/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/plug-order.h"

#include "launcher/host/plan.h"

const HvrProfileDevice *hvr_plug_section_of(const GPtrArray *sections, const HvrJournalEntry *entry)
{
	for (guint i = 0; i < sections->len; i++) {
		const HvrProfileDevice *section = g_ptr_array_index(sections, i);
		g_autofree char *companion = hvr_plan_companion_id(section, &entry->address);
		if (g_str_equal(entry->id, section->id) || g_str_equal(entry->id, companion))
			return section;
	}
	return g_ptr_array_index(sections, 0);
}

gboolean hvr_plug_has_group(const GArray *groups, int group)
{
	for (guint i = 0; i < groups->len; i++)
		if (g_array_index(groups, int, i) == group)
			return TRUE;
	return FALSE;
}

/* The least goes in first. */
static guint rank(const GPtrArray *sections, const HvrJournalEntry *entry)
{
	for (guint i = 1; i < sections->len; i++) {
		const HvrProfileDevice *section = g_ptr_array_index(sections, i);
		if (g_str_equal(entry->id, section->id))
			return 0;
	}
	const HvrProfileDevice *first = g_ptr_array_index(sections, 0);
	if (g_str_equal(entry->id, first->id))
		return 1;
	return 2;
}

/* A GCompareDataFunc. */
static int compare_entries(gconstpointer a, gconstpointer b, gpointer sections)
{
	const HvrJournalEntry *const *one = a, *const *other = b;
	guint left = rank(sections, *one), right = rank(sections, *other);

	if (left != right)
		return left < right ? -1 : 1;
	return hvr_pci_address_compare(&(*one)->address, &(*other)->address);
}

/* Is it the card of a section that is in another slot? */
static gboolean is_anothers(const HvrProfile *profile, const GPtrArray *sections,
			    const HvrJournalEntry *entry)
{
	for (guint i = 0; i < profile->devices->len; i++) {
		const HvrProfileDevice *device = g_ptr_array_index(profile->devices, i);
		if (g_str_equal(entry->id, device->id))
			return !g_ptr_array_find((GPtrArray *)sections, device, NULL);
	}
	return FALSE;
}

GPtrArray *hvr_plug_prepared(const HvrSession *session, const GPtrArray *sections,
			     const GArray *groups)
{
	g_autoptr(GPtrArray) entries = hvr_journal_list(session->context->runtime, NULL);
	GPtrArray *cards = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_journal_entry_free);

	while (entries->len) {
		HvrJournalEntry *entry = g_ptr_array_steal_index(entries, 0);
		if (!hvr_plug_has_group(groups, entry->group) || !entry->id ||
		    g_strcmp0(entry->vm, session->vm->name) != 0 ||
		    is_anothers(session->profile, sections, entry))
			hvr_journal_entry_free(entry);
		else
			g_ptr_array_add(cards, entry);
	}
	g_ptr_array_sort_with_data(cards, compare_entries, (gpointer)sections);
	return cards;
}
