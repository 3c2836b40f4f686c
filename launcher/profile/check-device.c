/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several cards as the functions of one slot: what is behind a PCI Express port is its slot 0, and
 * a guest looks for functions 1 to 7 where function 0 is.
 */
#include "launcher/profile/check-device.h"

#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

#define FUNCTIONS_PER_SLOT 8

static gboolean fail(GError **error, const char *file, const HvrProfilePart *part, const char *key,
		     const char *what)
{
	HvrProfileLine place = hvr_profile_part_place(part, key);

	return hvr_profile_fail(error, file, &place, "%s", what);
}

/* Of those in front of @device; NULL: none has that name. @names: gets all of theirs */
static const HvrProfileDevice *find_before(const HvrProfile *profile,
					   const HvrProfileDevice *device, GPtrArray *names)
{
	const HvrProfileDevice *found = NULL;

	for (guint i = 0; profile->devices->pdata[i] != device; i++) {
		const HvrProfileDevice *other = profile->devices->pdata[i];
		if (g_str_equal(other->id, device->with))
			found = other;
		if (!other->with)
			g_ptr_array_add(names, other->id);
	}
	g_ptr_array_add(names, NULL);
	return found;
}

gboolean hvr_profile_check_with(const char *file, const HvrProfile *profile,
				const HvrProfilePart *part, GError **error)
{
	const HvrProfileDevice *device = part->base;
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	if (!device->with)
		return TRUE;
	const HvrProfileDevice *first = find_before(profile, device, names);
	g_autofree char *what =
		g_strdup_printf("there is no [device %s] before this section", device->with);
	if (!first) {
		fail(error, file, part, "with", what);
		hvr_nearest_hint(error, device->with, (const char *const *)names->pdata);
		return FALSE;
	}
	if (first->with) {
		fail(error, file, part, "with", "that section has no port of its own");
		hvr_error_hint(error, "with = %s is what it is with, too", first->with);
		return FALSE;
	}
	if (device->slot)
		return fail(error, file, part, "slot",
			    "is that of the section that this one is with");
	if (device->function >= FUNCTIONS_PER_SLOT)
		return fail(error, file, part, "with",
			    "a slot has 8 functions, and these are more");
	return TRUE;
}

/* 0: it has none. */
static gint64 acpi_index(const HvrProfileDevice *device)
{
	for (guint i = 0; device->properties && i < device->properties->len; i++) {
		const HvrCardProperty *property =
			&g_array_index(device->properties, HvrCardProperty, i);
		if (g_str_equal(property->name, "acpi-index"))
			return property->number;
	}
	return 0;
}

gboolean hvr_profile_check_index(const char *file, const HvrProfilePart *a, const HvrProfilePart *b,
				 GError **error)
{
	gint64 index = acpi_index(b->base);
	HvrProfileLine place = hvr_profile_part_place(b, "properties");

	if (!index || acpi_index(a->base) != index)
		return TRUE;
	return hvr_profile_fail(error, file, &place,
				"acpi-index=%" G_GINT64_FORMAT " is also that of [device %s]",
				index, a->name);
}
