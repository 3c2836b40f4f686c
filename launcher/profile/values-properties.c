/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties of QEMU's vfio-pci (hw/vfio/pci.c, vfio_pci_dev_properties, and those of every PCI
 * device in hw/pci/pci.c). A name that is passed on unseen would fail when the card has moved
 * already, or name another card; so they are a list, with their types and bounds. Which of them
 * this host's QEMU has is asked of it before the start.
 */
#include <string.h>

#include "launcher/profile/lines.h"
#include "launcher/profile/profile.h"
#include "launcher/profile/values.h"
#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

#define SWITCH(text)                                                                               \
	{                                                                                          \
		.name = (text), .kind = HVR_PROPERTY_SWITCH                                        \
	}
#define NUMBER(text, least, most)                                                                  \
	{                                                                                          \
		.name = (text), .kind = HVR_PROPERTY_NUMBER, .min = (least), .max = (most)         \
	}

/* But for "auto": QEMU has a place for a list of cards that it is for, and none in it. */
static const char *const relocations[] = { "off",  "bar0", "bar1", "bar2",
					   "bar3", "bar4", "bar5", NULL };

static const struct {
	const char *name;
	HvrPropertyKind kind;
	guint64 min, max;	  /* of a number */
	const char *const *words; /* of a word */
} known[] = {
	/* ACPI_INDEX_MAX of hw/acpi/pcihp.h */
	NUMBER("acpi-index", 1, 16383),
	SWITCH("x-balloon-allowed"),
	NUMBER("x-igd-gms", 0, 0xff),
	SWITCH("x-igd-opregion"),
	NUMBER("x-intx-mmap-timeout-ms", 0, G_MAXUINT32),
	{ .name = "x-msix-relocation", .kind = HVR_PROPERTY_WORD, .words = relocations },
	SWITCH("x-no-geforce-quirks"),
	SWITCH("x-no-kvm-intx"),
	SWITCH("x-no-kvm-ioeventfd"),
	SWITCH("x-no-kvm-msi"),
	SWITCH("x-no-kvm-msix"),
	SWITCH("x-no-mmap"),
	SWITCH("x-no-vfio-ioeventfd"),
	NUMBER("x-nv-gpudirect-clique", 0, 15),
	NUMBER("x-pci-device-id", 0, 0xffff),
	/* ffff is no vendor: vfio_realize() refuses it */
	NUMBER("x-pci-vendor-id", 0, 0xfffe),
	SWITCH("x-pcie-extcap-init"),
	SWITCH("x-pcie-lnksta-dllla"),
	SWITCH("x-req"),
	SWITCH("x-vga"),
};

/* What is no property for a profile, and what is in its place. */
static const struct {
	const char *name, *hint;
} elsewhere[] = {
	{ "addr", "a card is the one device on its port" },
	{ "bus", "a card has a port of its own" },
	{ "driver", "it is vfio-pci" },
	{ "fd", "the program opens the card" },
	{ "host", "a card is named by match, address or path" },
	{ "id", "it is the section's name" },
	{ "iommufd", "the program opens the card" },
	{ "rombar", "there is a key of that name: rombar = no" },
	{ "romfile", "there is a key of that name: romfile = FILE" },
	{ "sysfsdev", "a card is named by match, address or path" },
	{ "x-pci-sub-device-id", "there is a key for it: sub-id = VENDOR:DEVICE" },
	{ "x-pci-sub-vendor-id", "there is a key for it: sub-id = VENDOR:DEVICE" },
};

/* Returns: FALSE */
static gboolean refuse_name(const char *name, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (gsize i = 0; i < G_N_ELEMENTS(elsewhere); i++) {
		if (strcmp(elsewhere[i].name, name) != 0)
			continue;
		hvr_profile_fail(error, NULL, NULL, "\"%s\" is not said here", name);
		hvr_error_hint(error, "%s", elsewhere[i].hint);
		return FALSE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
		g_ptr_array_add(names, (gpointer)known[i].name);
	g_ptr_array_add(names, NULL);
	g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
	hvr_profile_fail(error, NULL, NULL, "\"%s\" is no property that a card can have here",
			 name);
	hvr_nearest_hint(error, name, (const char *const *)names->pdata);
	hvr_error_hint(error, "it takes %s", all);
	return FALSE;
}

static gboolean read_switch(const char *name, const char *value, HvrCardProperty *property,
			    GError **error)
{
	property->number = strcmp(value, "on") == 0;
	if (property->number || strcmp(value, "off") == 0)
		return TRUE;
	return hvr_profile_fail(error, NULL, NULL, "%s is on or off, not \"%s\"", name, value);
}

/* Decimal, or hexadecimal with its 0x, as QEMU has it. */
static gboolean read_number(gsize place, const char *value, HvrCardProperty *property,
			    GError **error)
{
	gboolean hexadecimal = g_str_has_prefix(value, "0x");
	guint64 number;

	if (g_ascii_string_to_unsigned(hexadecimal ? value + 2 : value, hexadecimal ? 16 : 10,
				       known[place].min, known[place].max, &number, NULL)) {
		property->number = (gint64)number;
		return TRUE;
	}
	return hvr_profile_fail(error, NULL, NULL,
				"%s is a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
				", not \"%s\"",
				known[place].name, known[place].min, known[place].max, value);
}

static gboolean read_word(gsize place, const char *value, HvrCardProperty *property, GError **error)
{
	g_autofree char *all = g_strjoinv(", ", (char **)known[place].words);

	for (gsize i = 0; known[place].words[i]; i++)
		if (strcmp(known[place].words[i], value) == 0)
			property->word = known[place].words[i];
	if (property->word)
		return TRUE;
	return hvr_profile_fail(error, NULL, NULL, "%s is one of %s, not \"%s\"", known[place].name,
				all, value);
}

static gboolean read_property(const char *name, const char *value, HvrCardProperty *property,
			      GError **error)
{
	gsize place = 0;

	while (place < G_N_ELEMENTS(known) && strcmp(known[place].name, name) != 0)
		place++;
	if (place == G_N_ELEMENTS(known))
		return refuse_name(name, error);
	*property = (HvrCardProperty){ .name = known[place].name, .kind = known[place].kind };
	if (property->kind == HVR_PROPERTY_SWITCH)
		return read_switch(name, value, property, error);
	if (property->kind == HVR_PROPERTY_NUMBER)
		return read_number(place, value, property, error);
	return read_word(place, value, property, error);
}

static gboolean add_property(GArray *properties, const char *word, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(word, "=", 2);
	HvrCardProperty property;

	if (g_strv_length(parts) != 2 || parts[0][0] == '\0')
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" is not NAME=VALUE", word);
	if (!read_property(parts[0], parts[1], &property, error))
		return FALSE;
	for (guint i = 0; i < properties->len; i++)
		if (g_array_index(properties, HvrCardProperty, i).name == property.name)
			return hvr_profile_fail(error, NULL, NULL, "\"%s\" comes twice", parts[0]);
	g_array_append_val(properties, property);
	return TRUE;
}

gboolean hvr_value_properties(const HvrProfileKey *key, const char *value, const char *folder,
			      gpointer target, GError **error)
{
	g_autoptr(GArray) properties = g_array_new(FALSE, FALSE, sizeof(HvrCardProperty));
	g_auto(GStrv) words = g_strsplit(value, " ", -1);
	GArray **field = target;

	for (gsize i = 0; words[i]; i++)
		if (words[i][0] != '\0' && !add_property(properties, words[i], error))
			return FALSE;
	g_clear_pointer(field, g_array_unref);
	*field = g_steal_pointer(&properties);
	return TRUE;
}
