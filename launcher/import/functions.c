/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cards that the guest has as the functions of one slot: where each sits is not kept, but that they
 * are together is ([device] with).
 */
#include "launcher/import/formats.h"

#include <stdlib.h>
#include <string.h>

/* Where a part's guest has it. */
typedef struct {
	const char *bus; /* QEMU's id; "": of libvirt's, which have numbers */
	guint64 domain, number, slot, function;
} Place;

/* The field that has the function. Static; NULL: a format that says it in another way */
static const char *function_field(HvrImportFormat format)
{
	switch (format) {
	case HVR_IMPORT_LIBVIRT:
		return "address.function";
	case HVR_IMPORT_QEMU:
		return "addr";
	default:
		return NULL;
	}
}

/* libvirt's numbers are as C has them. */
static gboolean libvirt_place(const HvrImportPart *part, Place *place)
{
	const char *bus = hvr_import_get(part, "address.bus");

	*place = (Place){ .bus = "", .number = g_ascii_strtoull(bus, NULL, 0) };
	place->domain = g_ascii_strtoull(hvr_import_get(part, "address.domain"), NULL, 0);
	place->slot = g_ascii_strtoull(hvr_import_get(part, "address.slot"), NULL, 0);
	place->function = g_ascii_strtoull(hvr_import_get(part, "address.function"), NULL, 0);
	return *bus != '\0';
}

/* "SLOT.FUNCTION", both hexadecimal (set_pci_devfn() in QEMU's hw/core/qdev-properties-system.c);
 * behind a port it may be left out. */
static gboolean qemu_place(const HvrImportPart *part, Place *place)
{
	const char *address = hvr_import_get(part, "addr");
	const char *dot = strchr(address, '.');

	*place = (Place){ .bus = hvr_import_get(part, "bus") };
	place->slot = g_ascii_strtoull(address, NULL, 16);
	if (dot)
		place->function = g_ascii_strtoull(dot + 1, NULL, 16);
	return *place->bus || *address;
}

static gboolean find_place(const HvrImportPart *part, Place *place)
{
	if (g_strcmp0(part->section, "device") != 0)
		return FALSE;
	switch (part->format) {
	case HVR_IMPORT_LIBVIRT:
		return libvirt_place(part, place);
	case HVR_IMPORT_QEMU:
		return qemu_place(part, place);
	default:
		return FALSE;
	}
}

static gboolean is_first(const Place *place, const Place *first)
{
	return first->function == 0 && place->function > 0 && first->domain == place->domain &&
	       first->number == place->number && first->slot == place->slot &&
	       g_str_equal(first->bus, place->bus);
}

/* The index of function 0 of the slot that @place is in; -1: no card is there */
static int find_first(const HvrImport *import, const Place *place)
{
	for (guint i = 0; i < import->parts->len; i++) {
		Place other;
		if (find_place(import->parts->pdata[i], &other) && is_first(place, &other))
			return (int)i;
	}
	return -1;
}

void hvr_import_functions(HvrImport *import)
{
	for (guint i = 0; i < import->parts->len; i++) {
		HvrImportPart *part = g_ptr_array_index(import->parts, i);
		Place place;
		int at = find_place(part, &place) ? find_first(import, &place) : -1;

		if (at < 0)
			continue;
		HvrImportPart *first = g_ptr_array_index(import->parts, (guint)at);
		HvrImportField *multifunction = hvr_import_find(first, "multifunction");
		part->with = first;
		part->with_field = hvr_import_find(part, function_field(part->format));
		if (multifunction)
			multifunction->told = TRUE;
		/* A section is with one that stands before it. */
		if ((guint)at > i)
			g_ptr_array_insert(import->parts, (int)i,
					   g_ptr_array_steal_index(import->parts, (guint)at));
	}
}
