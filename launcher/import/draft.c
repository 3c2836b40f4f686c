/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From parts to a profile's text.
 *
 *   parts -> sections, whose keys table.c names -> the whole is read as a profile; the line that is
 * to blame is left out, with the reason that was given, until it is one -> the text, with comments
 */
#include "launcher/import/draft.h"

#include <stdlib.h>
#include <string.h>

#include "launcher/import/table.h"
#include "launcher/new/make.h"
#include "launcher/profile/read.h"
#include "launcher/profile/table.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"

/* What the profile is called while it is made: messages begin with it. */
#define FILE_NAME "import.ini"

/* Memory of a machine that does not say */
#define MEMORY "4G"

typedef struct {
	const HvrProfileKey *key;
	char *value;
	guint line;	     /* 0: nobody said it */
	HvrImportPart *part; /* where it is from; NULL: nobody said it */
	HvrImportField *field;
	gboolean dropped;
} Item;

typedef struct {
	const HvrProfileSection *kind;
	char *name; /* NULL: there is one of it */
	HvrImportPart *part;
	GPtrArray *items;
	gboolean dropped;
} Section;

typedef struct {
	HvrImport *import;
	const HvrDraftPlace *place;
	GPtrArray *sections;
} Draft;

static void item_free(gpointer data)
{
	Item *item = data;

	g_free(item->value);
	g_free(item);
}

static void section_free(gpointer data)
{
	Section *section = data;

	g_free(section->name);
	g_ptr_array_unref(section->items);
	g_free(section);
}

static Section *add_section(Draft *draft, const HvrProfileSection *kind, char *name)
{
	Section *section = g_new0(Section, 1);

	section->kind = kind;
	section->name = name;
	section->items = g_ptr_array_new_with_free_func(item_free);
	g_ptr_array_add(draft->sections, section);
	return section;
}

/* The one section of a kind that has no names; made where it is missing. */
static Section *the_section(Draft *draft, const char *name)
{
	for (guint i = 0; i < draft->sections->len; i++) {
		Section *section = g_ptr_array_index(draft->sections, i);
		if (!section->name && g_str_equal(section->kind->name, name))
			return section;
	}
	return add_section(draft, hvr_profile_section(name), NULL);
}

static Item *find_item(const Section *section, const char *key)
{
	for (guint i = 0; i < section->items->len; i++) {
		Item *item = g_ptr_array_index(section->items, i);
		if (!item->dropped && g_str_equal(item->key->name, key))
			return item;
	}
	return NULL;
}

/* (transfer none): a key that nobody has said */
static Item *add_item(Section *section, const char *key, const char *value)
{
	int index = hvr_profile_key_index(section->kind, key);
	Item *item = g_new0(Item, 1);

	item->key = &section->kind->keys[index];
	item->value = g_strdup(value);
	g_ptr_array_add(section->items, item);
	return item;
}

/* Can it stand behind "key = ", and be read back as it is? */
static gboolean is_line(const char *value)
{
	g_autofree char *stripped = NULL;

	if (!*value || !g_utf8_validate(value, -1, NULL))
		return FALSE;
	for (const char *c = value; *c; c = g_utf8_next_char(c))
		if (*c == '\t' || !hvr_text_is_harmless(g_utf8_get_char(c)))
			return FALSE;
	stripped = g_strstrip(g_strdup(value));
	return g_str_equal(stripped, value);
}

/* As a profile names it: from its own folder where both are there, else as a whole. */
static char *to_path(const Draft *draft, const char *value)
{
	g_autofree char *source = g_canonicalize_filename(draft->place->source, NULL);
	g_autofree char *folder = g_path_get_dirname(source);
	g_autofree char *path = NULL;

	if (*value == '~')
		return g_strdup(value);
	path = g_canonicalize_filename(value, folder);
	if (draft->place->output)
		return hvr_new_image_word(draft->place->output, path);
	return g_steal_pointer(&path);
}

static void put(Draft *draft, Section *section, HvrImportPart *part, const HvrImportRow *row,
		HvrImportField *field)
{
	HvrImportValue value = { .value = g_strdup(field->value) };

	if (row->convert) {
		g_free(value.value);
		value = row->convert(field->value);
	}
	if (value.value && row->path && is_line(value.value)) {
		char *path = to_path(draft, value.value);
		g_free(value.value);
		value.value = path;
	}
	g_autofree char *text = value.value;
	if (value.why)
		hvr_import_note_field(draft->import, part, field, value.why, value.needless);
	if (!text)
		return;
	if (!is_line(text)) {
		hvr_import_note_field(draft->import, part, field,
				      "it is empty, or holds what no line of a profile can", FALSE);
		return;
	}
	Item *item = add_item(section, row->key, text);
	field->told = TRUE;
	item->line = field->line;
	item->part = part;
	item->field = field;
}

static HvrImportField *find_field(const HvrImportPart *part, const HvrImportRow *row)
{
	const char *words = row->words[part->format];
	g_auto(GStrv) names = words ? g_strsplit(words, "|", -1) : NULL;

	for (guint i = 0; names && names[i]; i++) {
		HvrImportField *field = hvr_import_find(part, names[i]);
		if (field)
			return field;
	}
	return NULL;
}

/* What is still there has no key, or was said before. */
static void tell_rest(Draft *draft, HvrImportPart *part)
{
	for (guint i = 0; i < part->fields->len; i++) {
		HvrImportField *field = g_ptr_array_index(part->fields, i);
		if (field->told)
			continue;
		const HvrImportReason reason = hvr_import_field_reason(part, field);
		hvr_import_note_field(draft->import, part, field, reason.why, reason.needless);
	}
}

/* What has been said of that key; hyperv is part of QEMU's -cpu. (nullable) */
static const Item *said_again(Draft *draft, const Section *section, const char *key)
{
	const Item *said = find_item(section, key);
	const Item *cpu = find_item(the_section(draft, "vm"), "cpu");

	if (!said && g_str_equal(key, "hyperv") && cpu && cpu->part &&
	    cpu->part->format == HVR_IMPORT_QEMU)
		said = cpu;
	return said;
}

static void take_machine(Draft *draft, HvrImportPart *part)
{
	for (const HvrImportRow *row = hvr_import_rows; row->section; row++) {
		const HvrProfileSection *kind = hvr_profile_section(row->section);
		HvrImportField *field = find_field(part, row);
		if (!field || kind->named)
			continue;
		Section *section = the_section(draft, row->section);
		const Item *said = said_again(draft, section, row->key);
		if (said && said->part != part)
			hvr_import_note_field(draft->import, part, field,
					      "QEMU's own words say it again, and they count",
					      TRUE);
		else if (!said)
			put(draft, section, part, row, field);
	}
	tell_rest(draft, part);
}

static gboolean is_taken(const Draft *draft, const char *name)
{
	for (guint i = 0; i < draft->sections->len; i++)
		if (g_strcmp0(((Section *)g_ptr_array_index(draft->sections, i))->name, name) == 0)
			return TRUE;
	return FALSE;
}

/* The source's own name where it is one; else that of the kind, with a number. [transfer full] */
static char *make_name(const Draft *draft, const HvrImportPart *part)
{
	g_autofree char *own = hvr_import_plain_name(part->id ? part->id : "");
	const char *base = g_str_equal(part->section, "device") ? "card" : part->section;

	if (*own && g_ascii_islower(*own) && strlen(own) < 28 && !g_str_has_prefix(own, "hvr-"))
		base = own;
	if (base == own && !is_taken(draft, base))
		return g_steal_pointer(&own);
	for (guint i = 0;; i++) {
		g_autofree char *name = g_strdup_printf("%s%s%u", base, base == own ? "-" : "", i);
		if (!is_taken(draft, name))
			return g_steal_pointer(&name);
	}
}

static guint count_kind(const Draft *draft, const HvrProfileSection *kind)
{
	guint n = 0;

	for (guint i = 0; i < draft->sections->len; i++)
		n += ((Section *)g_ptr_array_index(draft->sections, i))->kind == kind;
	return n;
}

/* Without these a section means nothing, or another thing. NULL: it has them */
static const char *missing_key(const Section *section)
{
	for (gsize i = 0; i < section->kind->n_keys; i++)
		if (section->kind->keys[i].required &&
		    !find_item(section, section->kind->keys[i].name))
			return section->kind->keys[i].name;
	if (g_str_equal(section->kind->name, "device") && !find_item(section, "address"))
		return "address";
	return NULL;
}

/* In the slot of one that is in the profile, too. */
static void put_with(Draft *draft, Section *section, HvrImportPart *part)
{
	for (guint i = 0; part->with && i < draft->sections->len; i++) {
		const Section *first = g_ptr_array_index(draft->sections, i);
		if (first->part != part->with)
			continue;
		Item *item = add_item(section, "with", first->name);
		item->line = part->with_field->line;
		item->part = part;
		item->field = part->with_field;
		item->field->told = TRUE;
	}
}

static void take_named(Draft *draft, HvrImportPart *part, const HvrProfileSection *kind)
{
	const char *refusal = hvr_import_part_refusal(part);
	g_autofree char *many = g_strdup_printf("a profile has up to %u of them", kind->most);

	if (!refusal && count_kind(draft, kind) >= kind->most)
		refusal = many;
	if (refusal) {
		hvr_import_note_part(draft->import, part, refusal, FALSE);
		return;
	}
	Section *section = add_section(draft, kind, make_name(draft, part));
	section->part = part;
	for (const HvrImportRow *row = hvr_import_rows; row->section; row++) {
		HvrImportField *field = NULL;
		if (g_str_equal(row->section, kind->name))
			field = find_field(part, row);
		if (field)
			put(draft, section, part, row, field);
	}
	put_with(draft, section, part);
	const char *missing = missing_key(section);
	if (missing) {
		g_autofree char *why =
			g_strdup_printf("it has no %s that a profile can name", missing);
		g_ptr_array_remove(draft->sections, section);
		hvr_import_note_part(draft->import, part, why, FALSE);
	} else {
		tell_rest(draft, part);
	}
}

static void take_part(Draft *draft, HvrImportPart *part)
{
	const HvrProfileSection *kind = NULL;

	if (part->gone)
		return;
	if (!part->section) {
		take_machine(draft, part);
		return;
	}
	kind = hvr_profile_section(part->section);
	if (kind && kind->named) {
		take_named(draft, part, kind);
		return;
	}
	const HvrImportReason reason = hvr_import_part_reason(part);
	hvr_import_note_part(draft->import, part, reason.why, reason.needless);
}

/* A GCompareFunc: what the table has first goes first, then what is booted first. */
static int compare_sections(gconstpointer a, gconstpointer b)
{
	const Section *one = *(Section *const *)a, *other = *(Section *const *)b;

	if (one->kind != other->kind)
		return one->kind < other->kind ? -1 : 1;
	if (!one->part || !other->part || one->part->rank == other->part->rank)
		return 0;
	return one->part->rank < other->part->rank ? -1 : 1;
}

static void add_defaults(Draft *draft)
{
	Section *vm = the_section(draft, "vm");
	g_autofree char *base = g_path_get_basename(draft->place->source);
	char *dot = strrchr(base, '.');

	if (!find_item(vm, "name")) {
		if (dot)
			*dot = '\0';
		g_autofree char *name = hvr_import_plain_name(base);
		gboolean fits = *name && !g_str_equal(name, "auto");
		add_item(vm, "name", fits ? name : "vm");
	}
	if (find_item(vm, "memory"))
		return;
	add_item(vm, "memory", MEMORY);
	hvr_import_note(draft->import, 0, "memory",
			"how much the machine has is not said: " MEMORY " is a guess", FALSE);
}

/* ---------------------------------------------------------------- until it is a profile */

typedef struct {
	Section *section;
	Item *item; /* NULL: the section's header */
} Place;

/* A GCompareFunc: as the table has them. */
static int compare_items(gconstpointer a, gconstpointer b)
{
	const Item *one = *(Item *const *)a, *other = *(Item *const *)b;

	if (one->key == other->key)
		return 0;
	return one->key < other->key ? -1 : 1;
}

static gboolean is_empty(const Section *section)
{
	for (guint i = 0; i < section->items->len; i++)
		if (!((Item *)g_ptr_array_index(section->items, i))->dropped)
			return FALSE;
	return !section->name;
}

/* Without comments. @places: gets what is in each line */
static char *plain_text(const Draft *draft, GArray *places)
{
	g_autoptr(GString) text = g_string_new(NULL);

	g_array_set_size(places, 0);
	for (guint i = 0; i < draft->sections->len; i++) {
		Section *section = g_ptr_array_index(draft->sections, i);
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
static char *reason_of(const GError *error, const Item *item)
{
	const char *message = strstr(error->message, "] ");
	const char *colon = message ? strstr(message, ": ") : NULL;
	const char *fallback = item ? item->key->fallback : NULL;
	g_auto(GStrv) lines = g_strsplit(colon ? colon + 2 : error->message, "\n", 2);
	g_autofree char *text = g_strjoinv("; ", lines);

	return g_strconcat(text, fallback ? "; in its place is " : "", fallback, NULL);
}

/* Without what it cannot be without, or would be another thing, a section goes. */
static void drop_incomplete(Draft *draft, Section *section)
{
	const char *missing = section->part && section->name ? missing_key(section) : NULL;

	if (!missing || section->dropped)
		return;
	g_autofree char *why = g_strdup_printf("it has no %s that a profile can name", missing);
	section->dropped = TRUE;
	hvr_import_note_part(draft->import, section->part, why, FALSE);
}

static void drop(Draft *draft, const Place *place, const GError *error)
{
	Item *item = place->item;
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
static const Place *last_said(Section *section, Place *out_place)
{
	for (guint i = section->items->len; i > 0; i--) {
		Item *item = g_ptr_array_index(section->items, i - 1);
		if (item->dropped || !item->part)
			continue;
		*out_place = (Place){ section, item };
		return out_place;
	}
	return NULL;
}

static gboolean make_whole(Draft *draft, GError **error)
{
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(Place));

	for (;;) {
		g_autoptr(GError) why = NULL;
		Place alone;

		add_defaults(draft);
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

static void append_section(GString *text, const Section *section)
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
		const Item *item = g_ptr_array_index(section->items, i);
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

static char *whole_text(const Draft *draft)
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

/* QEMU's words in a configuration of another program, which QEMU is given last. */
static gboolean is_own_words(const Draft *draft, const HvrImportPart *part)
{
	return !part->section && part->format == HVR_IMPORT_QEMU &&
	       draft->place->format != HVR_IMPORT_QEMU;
}

char *hvr_draft_text(HvrImport *import, const HvrDraftPlace *place, GError **error)
{
	g_autoptr(GPtrArray) sections = g_ptr_array_new_with_free_func(section_free);
	Draft draft = { .import = import, .place = place, .sections = sections };

	for (guint i = 0; i < import->parts->len; i++)
		if (is_own_words(&draft, g_ptr_array_index(import->parts, i)))
			take_part(&draft, g_ptr_array_index(import->parts, i));
	for (guint i = 0; i < import->parts->len; i++)
		if (!is_own_words(&draft, g_ptr_array_index(import->parts, i)))
			take_part(&draft, g_ptr_array_index(import->parts, i));
	add_defaults(&draft);
	g_ptr_array_sort(sections, compare_sections);
	if (!make_whole(&draft, error))
		return NULL;
	g_autofree char *text = whole_text(&draft);
	g_autoptr(HvrProfile) profile =
		hvr_profile_parse(FILE_NAME, text, strlen(text), NULL, error);
	if (!profile)
		return NULL;
	return g_steal_pointer(&text);
}
