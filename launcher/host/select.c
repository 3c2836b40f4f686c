/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which card does the profile mean? An answer, or everything that the user needs to say it better.
 */
#include "launcher/host/select.h"

#include <string.h>

#include "launcher/report/error.h"
#include "vfio/error.h"

static gboolean matches(const HvrProfileDevice *device, const HvrPciFunction *function)
{
	switch (device->by) {
	case HVR_SELECT_MATCH:
		return function->vendor == device->vendor && function->device == device->device;
	case HVR_SELECT_ADDRESS:
		return hvr_pci_address_compare(&function->address, &device->address) == 0;
	case HVR_SELECT_PATH:
		return g_strcmp0(function->path, device->path) == 0;
	}
	g_return_val_if_reached(FALSE);
}

static char *describe_selector(const HvrProfileDevice *device)
{
	char name[HVR_PCI_ADDRESS_SIZE];

	switch (device->by) {
	case HVR_SELECT_MATCH:
		return g_strdup_printf("match = %04x:%04x", device->vendor, device->device);
	case HVR_SELECT_ADDRESS:
		return g_strdup_printf("address = %s",
				       hvr_pci_address_format(&device->address, name));
	case HVR_SELECT_PATH:
		return g_strdup_printf("path = %s", device->path);
	}
	g_return_val_if_reached(NULL);
}

static void append_candidate(GString *text, const HvrPciFunction *function)
{
	const char *path = "unknown";

	if (function->path)
		path = function->path;
	if (text->len)
		g_string_append(text, "; ");
	g_string_append_printf(text, "%s (%04x:%04x, path %s, ", function->name, function->vendor,
			       function->device, path);
	if (function->group >= 0)
		g_string_append_printf(text, "group %d, ", function->group);
	if (function->driver)
		g_string_append_printf(text, "driver %s)", function->driver);
	else
		g_string_append(text, "no driver)");
}

static void set_none_found(const HvrProfileDevice *device, const HvrInventory *inventory,
			   GError **error)
{
	const GPtrArray *all = hvr_inventory_functions(inventory);
	g_autofree char *selector = describe_selector(device);
	g_autoptr(GString) accelerators = g_string_new(NULL);

	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		if (function->quirk)
			append_candidate(accelerators, function);
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "device '%s': no PCI function has %s", device->id, selector);
	if (accelerators->len)
		hvr_error_hint(error, "this host has %s", accelerators->str);
	else
		hvr_error_hint(error, "this host shows no known accelerator: is the card seated "
				      "and powered? see lspci -nn");
}

static void set_ambiguous(const HvrProfileDevice *device, const GPtrArray *found, GError **error)
{
	g_autofree char *selector = describe_selector(device);
	g_autoptr(GString) candidates = g_string_new(NULL);

	for (guint i = 0; i < found->len; i++)
		append_candidate(candidates, g_ptr_array_index(found, i));
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "device '%s': %u PCI functions have %s", device->id, found->len, selector);
	hvr_error_hint(error, "name one by address or path, or set pick = free: %s",
		       candidates->str);
}

static char *first_line(const GError *error, const char **out_hint)
{
	const char *end = strchr(error->message, '\n');

	*out_hint = end ? end + 1 : NULL;
	return end ? g_strndup(error->message, (gsize)(end - error->message))
		   : g_strdup(error->message);
}

/* @found: what matches, none of which is offered */
static void set_none_offered(const HvrProfileDevice *device, const GPtrArray *found,
			     const HvrOffer *offer, GError **error)
{
	g_autofree char *selector = describe_selector(device);
	g_autoptr(GString) reasons = g_string_new(NULL);
	g_autofree char *hint = NULL;
	HvrLaunchError code = HVR_LAUNCH_ERROR_PERMISSION;

	for (guint i = 0; i < found->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(found, i);
		g_autoptr(GError) why = NULL;
		const char *what_to_do = NULL;
		if (hvr_offer_has(offer, function, &why))
			continue;
		g_autofree char *line = first_line(why, &what_to_do);
		if (why->code != HVR_LAUNCH_ERROR_PERMISSION)
			code = HVR_LAUNCH_ERROR_UNAVAILABLE;
		if (!hint)
			hint = g_strdup(what_to_do);
		g_string_append_printf(reasons, "%s%s: %s", reasons->len ? "; " : "",
				       function->name, line);
	}
	g_set_error(error, HVR_LAUNCH_ERROR, code,
		    "device '%s': no card with %s is offered to this process: %s", device->id,
		    selector, reasons->str);
	if (hint)
		hvr_error_hint(error, "%s", hint);
}

static GPtrArray *find_all(const HvrProfileDevice *device, const HvrInventory *inventory,
			   const HvrOffer *offer, GError **error)
{
	const GPtrArray *all = hvr_inventory_functions(inventory);
	g_autoptr(GPtrArray) found = g_ptr_array_new(), withheld = g_ptr_array_new();

	for (guint i = 0; i < all->len; i++) {
		HvrPciFunction *function = g_ptr_array_index(all, i);
		if (!matches(device, function))
			continue;
		if (hvr_offer_has(offer, function, NULL))
			g_ptr_array_add(found, function);
		else
			g_ptr_array_add(withheld, function);
	}
	if (found->len)
		return g_steal_pointer(&found);
	if (withheld->len)
		set_none_offered(device, withheld, offer, error);
	else
		set_none_found(device, inventory, error);
	return NULL;
}

GPtrArray *hvr_select_offered(const HvrProfileDevice *device, const HvrInventory *inventory,
			      const HvrOffer *offer, GError **error)
{
	g_autoptr(GPtrArray) found = find_all(device, inventory, offer, error);

	if (!found)
		return NULL;
	if (found->len > 1 && device->pick == HVR_PICK_ONLY) {
		set_ambiguous(device, found, error);
		return NULL;
	}
	const HvrPciFunction *first = g_ptr_array_index(found, 0);
	if (hvr_pci_function_is_bridge(first)) {
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE,
			    "device '%s': %s is a bridge (class %06x); only endpoints can be given "
			    "to a VM",
			    device->id, first->name, first->class_code);
		return NULL;
	}
	return g_steal_pointer(&found);
}

GPtrArray *hvr_select(const HvrProfileDevice *device, const HvrInventory *inventory, GError **error)
{
	return hvr_select_offered(device, inventory, NULL, error);
}
