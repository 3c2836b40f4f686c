/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From parts to sections, whose keys table.c names. QEMU's own words in a configuration of another
 * program come first, as what QEMU is given last counts.
 */
#include "launcher/import/draft-sections.h"

#include <string.h>

#include "launcher/import/table.h"
#include "launcher/new/make.h"
#include "launcher/profile/read.h"
#include "launcher/report/text.h"

/* Memory of a machine that does not say */
#define MEMORY "4G"

static void item_free(gpointer data)
{
	HvrDraftItem *item = data;

	g_free(item->value);
	g_free(item);
}

void hvr_draft_section_free(gpointer data)
{
	HvrDraftSection *section = data;

	g_free(section->name);
	g_ptr_array_unref(section->items);
	g_free(section);
}

static HvrDraftSection *add_section(HvrDraft *draft, const HvrProfileSection *kind, char *name)
{
	HvrDraftSection *section = g_new0(HvrDraftSection, 1);

	section->kind = kind;
	section->name = name;
	section->items = g_ptr_array_new_with_free_func(item_free);
	g_ptr_array_add(draft->sections, section);
	return section;
}

/* The one section of a kind that has no names; made where it is missing. */
static HvrDraftSection *the_section(HvrDraft *draft, const char *name)
{
	for (guint i = 0; i < draft->sections->len; i++) {
		HvrDraftSection *section = g_ptr_array_index(draft->sections, i);
		if (!section->name && g_str_equal(section->kind->name, name))
			return section;
	}
	return add_section(draft, hvr_profile_section(name), NULL);
}

static HvrDraftItem *find_item(const HvrDraftSection *section, const char *key)
{
	for (guint i = 0; i < section->items->len; i++) {
		HvrDraftItem *item = g_ptr_array_index(section->items, i);
		if (!item->dropped && g_str_equal(item->key->name, key))
			return item;
	}
	return NULL;
}

/* (transfer none): a key that nobody has said */
static HvrDraftItem *add_item(HvrDraftSection *section, const char *key, const char *value)
{
	int index = hvr_profile_key_index(section->kind, key);
	HvrDraftItem *item = g_new0(HvrDraftItem, 1);

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
static char *to_path(const HvrDraft *draft, const char *value)
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

static void put(HvrDraft *draft, HvrDraftSection *section, HvrImportPart *part,
		const HvrImportRow *row, HvrImportField *field)
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
	HvrDraftItem *item = add_item(section, row->key, text);
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
static void tell_rest(HvrDraft *draft, HvrImportPart *part)
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
static const HvrDraftItem *said_again(HvrDraft *draft, const HvrDraftSection *section,
				      const char *key)
{
	const HvrDraftItem *said = find_item(section, key);
	const HvrDraftItem *cpu = find_item(the_section(draft, "vm"), "cpu");

	if (!said && g_str_equal(key, "hyperv") && cpu && cpu->part &&
	    cpu->part->format == HVR_IMPORT_QEMU)
		said = cpu;
	return said;
}

static void take_machine(HvrDraft *draft, HvrImportPart *part)
{
	for (const HvrImportRow *row = hvr_import_rows; row->section; row++) {
		const HvrProfileSection *kind = hvr_profile_section(row->section);
		HvrImportField *field = find_field(part, row);
		if (!field || kind->named)
			continue;
		HvrDraftSection *section = the_section(draft, row->section);
		const HvrDraftItem *said = said_again(draft, section, row->key);
		if (said && said->part != part)
			hvr_import_note_field(draft->import, part, field,
					      "QEMU's own words say it again, and they count",
					      TRUE);
		else if (!said)
			put(draft, section, part, row, field);
	}
	tell_rest(draft, part);
}

static gboolean is_taken(const HvrDraft *draft, const char *name)
{
	for (guint i = 0; i < draft->sections->len; i++)
		if (g_strcmp0(((HvrDraftSection *)g_ptr_array_index(draft->sections, i))->name,
			      name) == 0)
			return TRUE;
	return FALSE;
}

/* The source's own name where it is one; else that of the kind, with a number. [transfer full] */
static char *make_name(const HvrDraft *draft, const HvrImportPart *part)
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

static guint count_kind(const HvrDraft *draft, const HvrProfileSection *kind)
{
	guint n = 0;

	for (guint i = 0; i < draft->sections->len; i++)
		n += ((HvrDraftSection *)g_ptr_array_index(draft->sections, i))->kind == kind;
	return n;
}

const char *hvr_draft_missing_key(const HvrDraftSection *section)
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
static void put_with(HvrDraft *draft, HvrDraftSection *section, HvrImportPart *part)
{
	for (guint i = 0; part->with && i < draft->sections->len; i++) {
		const HvrDraftSection *first = g_ptr_array_index(draft->sections, i);
		if (first->part != part->with)
			continue;
		HvrDraftItem *item = add_item(section, "with", first->name);
		item->line = part->with_field->line;
		item->part = part;
		item->field = part->with_field;
		item->field->told = TRUE;
	}
}

static void take_named(HvrDraft *draft, HvrImportPart *part, const HvrProfileSection *kind)
{
	const char *refusal = hvr_import_part_refusal(part);
	g_autofree char *many = g_strdup_printf("a profile has up to %u of them", kind->most);

	if (!refusal && count_kind(draft, kind) >= kind->most)
		refusal = many;
	if (refusal) {
		hvr_import_note_part(draft->import, part, refusal, FALSE);
		return;
	}
	HvrDraftSection *section = add_section(draft, kind, make_name(draft, part));
	section->part = part;
	for (const HvrImportRow *row = hvr_import_rows; row->section; row++) {
		HvrImportField *field = NULL;
		if (g_str_equal(row->section, kind->name))
			field = find_field(part, row);
		if (field)
			put(draft, section, part, row, field);
	}
	put_with(draft, section, part);
	const char *missing = hvr_draft_missing_key(section);
	if (missing) {
		g_autofree char *why =
			g_strdup_printf("it has no %s that a profile can name", missing);
		g_ptr_array_remove(draft->sections, section);
		hvr_import_note_part(draft->import, part, why, FALSE);
	} else {
		tell_rest(draft, part);
	}
}

static void take_part(HvrDraft *draft, HvrImportPart *part)
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
	const HvrDraftSection *one = *(HvrDraftSection *const *)a,
			      *other = *(HvrDraftSection *const *)b;

	if (one->kind != other->kind)
		return one->kind < other->kind ? -1 : 1;
	if (!one->part || !other->part || one->part->rank == other->part->rank)
		return 0;
	return one->part->rank < other->part->rank ? -1 : 1;
}

void hvr_draft_add_defaults(HvrDraft *draft)
{
	HvrDraftSection *vm = the_section(draft, "vm");
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

/* QEMU's words in a configuration of another program, which QEMU is given last. */
static gboolean is_own_words(const HvrDraft *draft, const HvrImportPart *part)
{
	return !part->section && part->format == HVR_IMPORT_QEMU &&
	       draft->place->format != HVR_IMPORT_QEMU;
}

void hvr_draft_take(HvrDraft *draft)
{
	const GPtrArray *parts = draft->import->parts;

	for (guint i = 0; i < parts->len; i++)
		if (is_own_words(draft, g_ptr_array_index(parts, i)))
			take_part(draft, g_ptr_array_index(parts, i));
	for (guint i = 0; i < parts->len; i++)
		if (!is_own_words(draft, g_ptr_array_index(parts, i)))
			take_part(draft, g_ptr_array_index(parts, i));
	hvr_draft_add_defaults(draft);
	g_ptr_array_sort(draft->sections, compare_sections);
}
