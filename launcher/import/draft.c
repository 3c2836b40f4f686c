/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From parts to a profile's text.
 *
 *   parts -> sections (draft-sections.c) -> the whole is read as a profile; the line that is to
 * blame is left out, with the reason that was given, until it is one -> the text, with comments
 */
#include "launcher/import/draft.h"

#include <stdlib.h>
#include <string.h>

#include "launcher/profile/read.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"

/* What the profile is called while it is made: messages begin with it. */
#define FILE_NAME "import.ini"

typedef struct {
	HvrDraftSection *section;
	HvrDraftItem *item; /* NULL: the section's header */
} Place;

/* A GCompareFunc: as the table has them. */
static int compare_items(gconstpointer a, gconstpointer b)
{
	const HvrDraftItem *one = *(HvrDraftItem *const *)a, *other = *(HvrDraftItem *const *)b;

	if (one->key == other->key)
		return 0;
	return one->key < other->key ? -1 : 1;
}

static gboolean is_empty(const HvrDraftSection *section)
{
	for (guint i = 0; i < section->items->len; i++)
		if (!((HvrDraftItem *)g_ptr_array_index(section->items, i))->dropped)
			return FALSE;
	return !section->name;
}

/* Without comments. @places: gets what is in each line */
static char *plain_text(const HvrDraft *draft, GArray *places)
{
	g_autoptr(GString) text = g_string_new(NULL);

	g_array_set_size(places, 0);
	for (guint i = 0; i < draft->sections->len; i++) {
		HvrDraftSection *section = g_ptr_array_index(draft->sections, i);
		Place place = { section, NULL };
		if (section->dropped || is_empty(section))
			continue;
		g_ptr_array_sort(section->items, compare_items);
		g_array_append_val(places, place);
		g_string_append_printf(text, "[%s%s%s]\n", section->kind->name,
				       section->name ? " " : "",
				       section->name ? section->name : "");
		for (guint k = 0; k < section->items->len; k++) {
			place.item = g_ptr_array_index(section->items, k);
			if (place.item->dropped)
				continue;
			g_array_append_val(places, place);
			g_string_append_printf(text, "%s = %s\n", place.item->key->name,
					       place.item->value);
		}
	}
	return g_strdup(text->str);
}

/* What is wrong, what would be right, and what is there in its place. [transfer full] */
static char *reason_of(const GError *error, const HvrDraftItem *item)
{
	const char *message = strstr(error->message, "] ");
	const char *colon = message ? strstr(message, ": ") : NULL;
	const char *fallback = item ? item->key->fallback : NULL;
	g_auto(GStrv) lines = g_strsplit(colon ? colon + 2 : error->message, "\n", 2);
	g_autofree char *text = g_strjoinv("; ", lines);

	return g_strconcat(text, fallback ? "; in its place is " : "", fallback, NULL);
}

/* Without what it cannot be without, or would be another thing, a section goes. */
static void drop_incomplete(HvrDraft *draft, HvrDraftSection *section)
{
	const char *missing =
		section->part && section->name ? hvr_draft_missing_key(section) : NULL;

	if (!missing || section->dropped)
		return;
	g_autofree char *why = g_strdup_printf("it has no %s that a profile can name", missing);
	section->dropped = TRUE;
	hvr_import_note_part(draft->import, section->part, why, FALSE);
}

static void drop(HvrDraft *draft, const Place *place, const GError *error)
{
	HvrDraftItem *item = place->item;
	g_autofree char *why = reason_of(error, item);

	if (!item) {
		place->section->dropped = TRUE;
		if (place->section->part)
			hvr_import_note_part(draft->import, place->section->part, why, FALSE);
		return;
	}
	item->dropped = TRUE;
	if (item->field)
		hvr_import_note_field(draft->import, item->part, item->field, why, FALSE);
	else
		hvr_import_note(draft->import, 0, item->key->name, why, FALSE);
	drop_incomplete(draft, place->section);
}

/* The line that a message begins with; 0: it names none */
static guint line_of(const GError *error)
{
	const char *begin = FILE_NAME ":";
	const char *digits = error->message + strlen(begin);

	if (!g_str_has_prefix(error->message, begin))
		return 0;
	return (guint)strtoul(digits, NULL, 10);
}

/* What a section that has no name lacks is told of its header: there the last key that somebody has
 * said goes, until none of them asks for what is not there. NULL: nobody has said any */
static const Place *last_said(HvrDraftSection *section, Place *out_place)
{
	for (guint i = section->items->len; i > 0; i--) {
		HvrDraftItem *item = g_ptr_array_index(section->items, i - 1);
		if (item->dropped || !item->part)
			continue;
		*out_place = (Place){ section, item };
		return out_place;
	}
	return NULL;
}

static gboolean make_whole(HvrDraft *draft, GError **error)
{
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(Place));

	for (;;) {
		g_autoptr(GError) why = NULL;
		Place alone;

		hvr_draft_add_defaults(draft);
		g_autofree char *text = plain_text(draft, places);
		g_autoptr(HvrProfile) profile =
			hvr_profile_parse(FILE_NAME, text, strlen(text), NULL, &why);
		guint line = profile ? 0 : line_of(why);
		if (profile)
			return TRUE;
		const Place *place = line && line <= places->len
					     ? &g_array_index(places, Place, line - 1)
					     : NULL;
		if (place && !place->item && !place->section->name)
			place = last_said(place->section, &alone);
		if (!place || (place->item && !place->item->part)) {
			g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL,
				    "what was read could not be made a profile: %s", why->message);
			return FALSE;
		}
		drop(draft, place, why);
	}
}

/* ---------------------------------------------------------------------------- the text */

static void append_section(GString *text, const HvrDraftSection *section)
{
	if (section->dropped || is_empty(section))
		return;
	g_string_append_printf(text, "\n# %c%s", g_ascii_toupper(*section->kind->help),
			       section->kind->help + 1);
	if (section->part)
		g_string_append_printf(text, " (line %u: %s)", section->part->line,
				       section->part->shown);
	g_string_append_printf(text, "\n[%s%s%s]\n", section->kind->name, section->name ? " " : "",
			       section->name ? section->name : "");
	for (guint i = 0; i < section->items->len; i++) {
		const HvrDraftItem *item = g_ptr_array_index(section->items, i);
		if (item->dropped)
			continue;
		g_string_append_printf(text, "# %s", item->key->help);
		if (item->line)
			g_string_append_printf(text, " (line %u)", item->line);
		g_string_append_printf(text, "\n%s = %s\n", item->key->name, item->value);
	}
}

static void append_notes(GString *text, const HvrImport *import, gboolean needless,
			 const char *title)
{
	g_autoptr(GPtrArray) lines = hvr_draft_notes(import, needless);

	if (lines->len)
		g_string_append_printf(text, "\n# %s\n", title);
	for (guint i = 0; i < lines->len; i++)
		g_string_append_printf(text, "#   %s\n", (char *)g_ptr_array_index(lines, i));
}

static char *whole_text(const HvrDraft *draft)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *base = g_path_get_basename(draft->place->source);
	g_autofree char *safe = hvr_text_safe(base);

	g_string_append_printf(
		text,
		"# Made from %s (%s) by hailo-vm-run import. What is not in it stands "
		"at the end.\n",
		safe, hvr_import_format_name(draft->place->format));
	for (guint i = 0; i < draft->sections->len; i++)
		append_section(text, g_ptr_array_index(draft->sections, i));
	append_notes(text, draft->import, FALSE, "Left out, or not as it was:");
	append_notes(text, draft->import, TRUE, "Without a key, as it is so anyway:");
	return g_strdup(text->str);
}

char *hvr_draft_text(HvrImport *import, const HvrDraftPlace *place, GError **error)
{
	g_autoptr(GPtrArray) sections = g_ptr_array_new_with_free_func(hvr_draft_section_free);
	HvrDraft draft = { .import = import, .place = place, .sections = sections };

	hvr_draft_take(&draft);
	if (!make_whole(&draft, error))
		return NULL;
	g_autofree char *text = whole_text(&draft);
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse(FILE_NAME, text, strlen(text), NULL, error);
	if (!profile)
		return NULL;
	return g_steal_pointer(&text);
}
