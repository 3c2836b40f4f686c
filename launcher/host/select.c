/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which card does the profile mean? An answer, or everything that the user needs to say it better.
 */
#include "launcher/host/select.h"

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
	g_string_append_printf(text, "%s%s (%04x:%04x, path %s, ", text->len ? "; " : "",
			       function->name, function->vendor, function->device,
			       function->path ? function->path : "unknown");
	if (function->group >= 0)
		g_string_append_printf(text, "group %d, ", function->group);
	g_string_append_printf(text, "%s%s)", function->driver ? "driver " : "no driver",
			       function->driver ? function->driver : "");
}

static char *list_candidates(const GPtrArray *functions)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < functions->len; i++)
		append_candidate(text, g_ptr_array_index(functions, i));
	return g_string_free(text, FALSE);
}

/* What the user may have meant: the known accelerators of this host. */
static char *list_accelerators(const HvrInventory *inventory)
{
	const GPtrArray *all = hvr_inventory_functions(inventory);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		if (function->quirk)
			append_candidate(text, function);
	}
	return g_string_free(text, FALSE);
}

static gboolean check_count(const HvrProfileDevice *device, const HvrInventory *inventory,
			    const GPtrArray *found, GError **error)
{
	g_autofree char *selector = describe_selector(device);

	if (found->len == 0) {
		g_autofree char *others = list_accelerators(inventory);
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "device '%s': no PCI function has %s", device->id, selector);
		hvr_error_hint(error, "%s%s",
			       *others ? "this host has "
				       : "this host shows no known accelerator: is the card "
					 "seated and powered? see lspci -nn",
			       others);
		return FALSE;
	}
	if (found->len > 1 && device->pick == HVR_PICK_ONLY) {
		g_autofree char *candidates = list_candidates(found);
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "device '%s': %u PCI functions have %s", device->id, found->len,
			    selector);
		hvr_error_hint(error, "name one by address or path, or set pick = free: %s",
			       candidates);
		return FALSE;
	}
	return TRUE;
}

GPtrArray *hvr_select(const HvrProfileDevice *device, const HvrInventory *inventory, GError **error)
{
	const GPtrArray *all = hvr_inventory_functions(inventory);
	g_autoptr(GPtrArray) found = g_ptr_array_new();

	for (guint i = 0; i < all->len; i++) {
		HvrPciFunction *function = g_ptr_array_index(all, i);
		if (matches(device, function))
			g_ptr_array_add(found, function);
	}
	if (!check_count(device, inventory, found, error))
		return NULL;

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
