/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a profile names a card and says what may reset it.
 *
 * A selector sets two things, the way of choosing and what to look for, so these parsers get the
 * whole HvrProfileDevice. What addresses and paths look like is vfio/'s knowledge.
 */
#include "launcher/profile/values.h"

#include <string.h>

#include "launcher/profile/lines.h"
#include "launcher/profile/machine.h"
#include "launcher/profile/profile.h"
#include "launcher/report/error.h"
#include "launcher/report/nearest.h"
#include "vfio/address.h"

static gboolean fail_form(const HvrProfileKey *key, const char *value, const char *what,
			  GError **error)
{
	hvr_profile_fail(error, NULL, NULL, "\"%s\" is not %s", value, what);
	hvr_error_hint(error, "expected something like %s", key->sample);
	return FALSE;
}

/* Exactly four hexadecimal digits. */
static gboolean read_id(const char *text, guint16 *out_id)
{
	guint64 id;

	if (strlen(text) != 4 || !g_ascii_string_to_unsigned(text, 16, 0, G_MAXUINT16, &id, NULL))
		return FALSE;
	*out_id = id;
	return TRUE;
}

static gboolean read_ids(const HvrProfileKey *key, const char *value, guint16 *out_vendor,
			 guint16 *out_device, GError **error)
{
	g_auto(GStrv) parts = g_strsplit(value, ":", 3);
	guint16 vendor, id;

	if (g_strv_length(parts) != 2 || !read_id(parts[0], &vendor) || !read_id(parts[1], &id))
		return fail_form(key, value, "VENDOR:DEVICE, four hexadecimal digits each", error);
	*out_vendor = vendor;
	*out_device = id;
	return TRUE;
}

gboolean hvr_value_match(const HvrProfileKey *key, const char *value, const char *folder,
			 gpointer target, GError **error)
{
	HvrProfileDevice *device = target;

	if (!read_ids(key, value, &device->vendor, &device->device, error))
		return FALSE;
	device->by = HVR_SELECT_MATCH;
	return TRUE;
}

gboolean hvr_value_sub_id(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error)
{
	HvrProfileDevice *device = target;

	if (!read_ids(key, value, &device->sub_vendor, &device->sub_device, error))
		return FALSE;
	device->has_subs = TRUE;
	return TRUE;
}

gboolean hvr_value_usb_match(const HvrProfileKey *key, const char *value, const char *folder,
			     gpointer target, GError **error)
{
	HvrProfileUsb *usb = target;

	return read_ids(key, value, &usb->vendor, &usb->product, error);
}

/* usb_alloc_dev() of Linux's drivers/usb/core/usb.c; there are no more than six tiers of hubs. */
gboolean hvr_value_usb_port(const HvrProfileKey *key, const char *value, const char *folder,
			    gpointer target, GError **error)
{
	char **port = target;

	if (!g_regex_match_simple("^[1-9][0-9]{0,2}-[1-9][0-9]{0,2}(\\.[1-9][0-9]{0,2}){0,5}\\z",
				  value, 0, 0))
		return fail_form(key, value, "a USB port, BUS-PORT and .PORT for each hub", error);
	g_free(*port);
	*port = g_strdup(value);
	return TRUE;
}

gboolean hvr_value_slot(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error)
{
	guint64 slot;

	if (!g_str_has_prefix(value, "0x") ||
	    !g_ascii_string_to_unsigned(value + 2, 16, HVR_MACHINE_FIXED_MIN, HVR_MACHINE_FIXED_MAX,
					&slot, NULL)) {
		hvr_profile_fail(error, NULL, NULL, "\"%s\" is no slot for a card", value);
		hvr_error_hint(error, "expected 0x%02x to 0x%02x", HVR_MACHINE_FIXED_MIN,
			       HVR_MACHINE_FIXED_MAX);
		return FALSE;
	}
	*(guint *)target = (guint)slot;
	return TRUE;
}

gboolean hvr_value_address(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error)
{
	HvrProfileDevice *device = target;

	if (!hvr_pci_address_parse(value, &device->address))
		return fail_form(key, value, "a PCI address", error);
	device->by = HVR_SELECT_ADDRESS;
	return TRUE;
}

gboolean hvr_value_pci_path(const HvrProfileKey *key, const char *value, const char *folder,
			    gpointer target, GError **error)
{
	HvrProfileDevice *device = target;
	char *path = hvr_pci_path_normalise(value);

	if (!path)
		return fail_form(key, value, "a path of PCI slots", error);
	g_free(device->path);
	device->path = path;
	device->by = HVR_SELECT_PATH;
	return TRUE;
}

static gboolean check_method(const HvrProfileKey *key, const char *method, GError **error)
{
	g_autofree char *all = g_strjoinv(" ", (char **)key->words);

	if (g_strv_contains(key->words, method))
		return TRUE;
	hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a reset method", method);
	hvr_nearest_hint(error, method, key->words);
	hvr_error_hint(error, "expected auto, keep, none, or some of: %s", all);
	return FALSE;
}

/* The methods in the order given, which is the order in which the kernel tries them. */
static char *read_methods(const HvrProfileKey *key, const char *value, GError **error)
{
	g_auto(GStrv) words = g_strsplit(value, " ", -1);
	g_autoptr(GPtrArray) methods = g_ptr_array_new();

	for (gsize i = 0; words[i]; i++) {
		if (words[i][0] == '\0')
			continue;
		if (!check_method(key, words[i], error))
			return NULL;
		if (g_ptr_array_find_with_equal_func(methods, words[i], g_str_equal, NULL)) {
			hvr_profile_fail(error, NULL, NULL, "\"%s\" comes twice", words[i]);
			return NULL;
		}
		g_ptr_array_add(methods, words[i]);
	}
	g_ptr_array_add(methods, NULL);
	return g_strjoinv(" ", (char **)methods->pdata);
}

gboolean hvr_value_reset(const HvrProfileKey *key, const char *value, const char *folder,
			 gpointer target, GError **error)
{
	char **field = target;
	char *policy;

	if (strcmp(value, "auto") == 0 || strcmp(value, "keep") == 0)
		policy = g_strdup(value);
	else if (strcmp(value, "none") == 0)
		policy = g_strdup("");
	else
		policy = read_methods(key, value, error);
	if (!policy)
		return FALSE;
	g_free(*field);
	*field = policy;
	return TRUE;
}
