/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/import/draft.h"

/* A GCompareFunc of notes. */
static int compare_notes(gconstpointer a, gconstpointer b)
{
	const HvrImportNote *one = *(HvrImportNote *const *)a;
	const HvrImportNote *other = *(HvrImportNote *const *)b;

	if (one->line == other->line)
		return 0;
	return one->line < other->line ? -1 : 1;
}

/* Lines at which the same is to be said, as "line 3" or "lines 3, 8, 9 and 4 more" */
static char *where(const GPtrArray *notes, guint first, GHashTable *seen)
{
	const HvrImportNote *note = g_ptr_array_index(notes, first);
	g_autoptr(GString) lines = g_string_new(NULL);
	guint n = 0, last = G_MAXUINT;

	for (guint i = first; i < notes->len; i++) {
		HvrImportNote *other = g_ptr_array_index(notes, i);
		if (!g_str_equal(other->what, note->what) || !g_str_equal(other->why, note->why))
			continue;
		g_hash_table_add(seen, other);
		if (other->line == last)
			continue;
		last = other->line;
		if (++n <= 4)
			g_string_append_printf(lines, "%s%u", n > 1 ? ", " : "", other->line);
	}
	if (n > 4)
		g_string_append_printf(lines, " and %u more", n - 4);
	return g_strdup_printf("line%s %s", n > 1 ? "s" : "", lines->str);
}

GPtrArray *hvr_draft_notes(const HvrImport *import, gboolean needless)
{
	g_autoptr(GPtrArray) notes = g_ptr_array_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < import->notes->len; i++) {
		HvrImportNote *note = g_ptr_array_index(import->notes, i);
		if (note->needless == needless)
			g_ptr_array_add(notes, note);
	}
	g_ptr_array_sort(notes, compare_notes);
	for (guint i = 0; i < notes->len; i++) {
		const HvrImportNote *note = g_ptr_array_index(notes, i);
		if (g_hash_table_contains(seen, note))
			continue;
		g_autofree char *at = where(notes, i, seen);
		g_ptr_array_add(lines,
				g_strdup_printf("%s%s%s: %s", note->line ? at : "",
						note->line ? ": " : "", note->what, note->why));
	}
	return lines;
}
