/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/import/source.h"

#include <string.h>

#include "launcher/report/text.h"

/* Of what a note shows */
#define SHOWN_MOST 72
#define WHY_MOST   240

const char *hvr_import_format_name(HvrImportFormat format)
{
	static const char *const names[] = { [HVR_IMPORT_LIBVIRT] = "libvirt",
					     [HVR_IMPORT_QUICKEMU] = "quickemu",
					     [HVR_IMPORT_PROXMOX] = "proxmox",
					     [HVR_IMPORT_QEMU] = "qemu" };

	return names[format];
}

static void field_free(gpointer data)
{
	HvrImportField *field = data;

	g_free(field->name);
	g_free(field->value);
	g_free(field);
}

static void part_free(gpointer data)
{
	HvrImportPart *part = data;

	g_free(part->shown);
	g_free(part->id);
	g_ptr_array_unref(part->fields);
	g_free(part);
}

static void note_free(gpointer data)
{
	HvrImportNote *note = data;

	g_free(note->what);
	g_free(note->why);
	g_free(note);
}

HvrImport *hvr_import_new(void)
{
	HvrImport *import = g_new0(HvrImport, 1);

	import->parts = g_ptr_array_new_with_free_func(part_free);
	import->notes = g_ptr_array_new_with_free_func(note_free);
	return import;
}

void hvr_import_free(HvrImport *import)
{
	if (!import)
		return;
	g_ptr_array_unref(import->parts);
	g_ptr_array_unref(import->notes);
	g_free(import);
}

gboolean hvr_import_is_full(const HvrImport *import)
{
	return import->n_fields + import->notes->len >= HVR_IMPORT_MOST;
}

HvrImportPart *hvr_import_add_part(HvrImport *import, HvrImportFormat format, const char *section,
				   guint line, const char *shown)
{
	HvrImportPart *part = g_new0(HvrImportPart, 1);

	part->format = format;
	part->section = section;
	part->line = line;
	part->shown = g_strdup(shown);
	part->rank = G_MAXINT;
	part->fields = g_ptr_array_new_with_free_func(field_free);
	g_ptr_array_add(import->parts, part);
	import->n_fields++;
	return part;
}

void hvr_import_add(HvrImport *import, HvrImportPart *part, guint line, const char *name,
		    const char *value)
{
	HvrImportField *field = g_new0(HvrImportField, 1);

	field->line = line;
	field->name = g_strdup(name);
	field->value = g_strdup(value);
	g_ptr_array_add(part->fields, field);
	import->n_fields++;
	if (strchr(name, HVR_IMPORT_UNKNOWN) || strchr(value, HVR_IMPORT_UNKNOWN))
		hvr_import_note_field(import, part, field, HVR_IMPORT_UNKNOWN_WHY, FALSE);
}

HvrImportField *hvr_import_find(const HvrImportPart *part, const char *name)
{
	for (guint i = 0; i < part->fields->len; i++) {
		HvrImportField *field = g_ptr_array_index(part->fields, i);
		if (!field->told && g_str_equal(field->name, name))
			return field;
	}
	return NULL;
}

const char *hvr_import_get(const HvrImportPart *part, const char *name)
{
	const HvrImportField *field = hvr_import_find(part, name);

	return field ? field->value : "";
}

const char *hvr_import_take(HvrImportPart *part, const char *name)
{
	HvrImportField *field = hvr_import_find(part, name);

	if (!field)
		return "";
	field->told = TRUE;
	return field->value;
}

void hvr_import_tell_all(HvrImportPart *part)
{
	for (guint i = 0; i < part->fields->len; i++)
		((HvrImportField *)g_ptr_array_index(part->fields, i))->told = TRUE;
}

void hvr_import_merge(HvrImport *import, HvrImportPart *to, HvrImportPart *from)
{
	for (guint i = 0; i < from->fields->len; i++) {
		HvrImportField *field = g_ptr_array_index(from->fields, i);
		if (!field->told)
			hvr_import_add(import, to, field->line, field->name, field->value);
		field->told = TRUE;
	}
	from->gone = TRUE;
}

/* One harmless line of at most @most characters. [transfer full] */
static char *show(const char *text, glong most)
{
	g_autofree char *plain = g_strdup(text);
	g_autofree char *safe = NULL;

	for (char *c = plain; *c; c++)
		if (*c == HVR_IMPORT_UNKNOWN)
			*c = '$';
	safe = hvr_text_safe(plain);
	if (g_utf8_strlen(safe, -1) <= most)
		return g_steal_pointer(&safe);
	*g_utf8_offset_to_pointer(safe, most) = '\0';
	return g_strconcat(safe, "...", NULL);
}

void hvr_import_note(HvrImport *import, guint line, const char *what, const char *why,
		     gboolean needless)
{
	HvrImportNote *note = g_new0(HvrImportNote, 1);

	note->line = line;
	note->what = show(what, SHOWN_MOST);
	note->why = show(why, WHY_MOST);
	note->needless = needless;
	g_ptr_array_add(import->notes, note);
}

/* What nobody wants to read in a log. */
static gboolean is_secret(const char *name)
{
	static const char *const words[] = {
		"passw", "passphrase", "secret", "token", "key", "data"
	};

	if (strstr(name, "keymap") || strstr(name, "keyboard"))
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(words); i++)
		if (strstr(name, words[i]))
			return TRUE;
	return FALSE;
}

void hvr_import_note_field(HvrImport *import, const HvrImportPart *part, HvrImportField *field,
			   const char *why, gboolean needless)
{
	gboolean hidden = is_secret(field->name) || is_secret(part->shown);
	g_autoptr(GString) what = g_string_new(part->shown);
	gsize length = needless ? strcspn(field->name, ".") : strlen(field->name);

	field->told = TRUE;
	if (what->len && *field->name)
		g_string_append_c(what, ' ');
	g_string_append_len(what, field->name, (gssize)length);
	if (!needless && *field->value)
		g_string_append_printf(what, " = %s", hidden ? "..." : field->value);
	hvr_import_note(import, field->line, what->str, why, needless);
}

/* Its first words tell what it is. */
void hvr_import_note_part(HvrImport *import, HvrImportPart *part, const char *why,
			  gboolean needless)
{
	g_autoptr(GString) what = g_string_new(part->shown);

	for (guint i = 0; i < MIN(part->fields->len, 3); i++) {
		const HvrImportField *field = g_ptr_array_index(part->fields, i);
		if (*field->value && !is_secret(field->name) && !is_secret(part->shown))
			g_string_append_printf(what, " %s=%s", field->name, field->value);
	}
	hvr_import_tell_all(part);
	hvr_import_note(import, part->line, what->str, why, needless);
}
