/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's vfio-pci is told of a card beside where it is: as sub-id and as properties of its
 * section.
 */
#include "launcher/import/formats.h"
#include "launcher/profile/table.h"
#include "launcher/profile/values.h"

#include <string.h>

/* Proxmox' names for them (hostpciN in qm.conf(5)) */
static const struct {
	const char *from, *to;
} names[] = {
	{ "vendor-id", "x-pci-vendor-id" },
	{ "device-id", "x-pci-device-id" },
	{ "sub-vendor-id", "x-pci-sub-vendor-id" },
	{ "sub-device-id", "x-pci-sub-device-id" },
};

static gboolean read_id(const HvrImportPart *card, const char *name, guint *out_id)
{
	const char *value = hvr_import_get(card, name);
	char *end = NULL;
	guint64 id = g_ascii_strtoull(value, &end, 0);

	*out_id = (guint)id;
	return *value && !*end && id <= G_MAXUINT16;
}

static void settle_sub_id(HvrImport *import, HvrImportPart *card)
{
	const HvrImportField *field = hvr_import_find(card, "x-pci-sub-vendor-id");
	guint vendor, device;

	if (!read_id(card, "x-pci-sub-vendor-id", &vendor) ||
	    !read_id(card, "x-pci-sub-device-id", &device))
		return;
	g_autofree char *value = g_strdup_printf("%04x:%04x", vendor, device);
	hvr_import_add(import, card, field->line, "sub-id", value);
	hvr_import_take(card, "x-pci-sub-vendor-id");
	hvr_import_take(card, "x-pci-sub-device-id");
}

/* "NAME=VALUE" as a profile has it. NULL: it has not. [transfer full] */
static char *to_property(const HvrImportField *field)
{
	const HvrProfileSection *section = hvr_profile_section("device");
	const HvrProfileKey *key = &section->keys[hvr_profile_key_index(section, "properties")];
	g_autoptr(GArray) taken = NULL;
	const char *value = field->value;

	if (g_strv_contains((const char *const[]){ "1", "yes", "true", NULL }, value) &&
	    !g_str_has_suffix(field->name, "-id"))
		value = "on";
	else if (g_strv_contains((const char *const[]){ "0", "no", "false", NULL }, value) &&
		 !g_str_has_suffix(field->name, "-id"))
		value = "off";
	g_autofree char *word = g_strconcat(field->name, "=", value, NULL);
	if (strchr(word, ' ') || !hvr_value_properties(key, word, NULL, &taken, NULL))
		return NULL;
	return g_steal_pointer(&word);
}

static void settle_properties(HvrImport *import, HvrImportPart *card)
{
	g_autoptr(GString) all = g_string_new(NULL);
	guint line = 0;

	for (guint i = 0; i < card->fields->len; i++) {
		HvrImportField *field = g_ptr_array_index(card->fields, i);
		gboolean named = g_str_has_prefix(field->name, "x-") ||
				 g_str_equal(field->name, "acpi-index");
		g_autofree char *word = named && !field->told ? to_property(field) : NULL;

		if (!word)
			continue;
		g_string_append_printf(all, "%s%s", all->len ? " " : "", word);
		line = line ? line : field->line;
		field->told = TRUE;
	}
	if (all->len)
		hvr_import_add(import, card, line, "properties", all->str);
}

static void rename_fields(HvrImportPart *card)
{
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		HvrImportField *field = hvr_import_find(card, names[i].from);

		if (!field)
			continue;
		g_free(field->name);
		field->name = g_strdup(names[i].to);
	}
}

void hvr_import_cards(HvrImport *import)
{
	for (guint i = 0; i < import->parts->len; i++) {
		HvrImportPart *card = g_ptr_array_index(import->parts, i);

		if (g_strcmp0(card->section, "device") != 0 || card->gone)
			continue;
		rename_fields(card);
		settle_sub_id(import, card);
		settle_properties(import, card);
	}
}
