/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/host/card-word.h"

#include "launcher/report/error.h"

const HvrPciFunction *hvr_card_of_index(const HvrInventory *inventory, guint64 index)
{
	const GPtrArray *all = hvr_inventory_functions(inventory);

	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		if (function->quirk && index-- == 0)
			return function;
	}
	return NULL;
}

static const HvrPciFunction *find_path(const HvrInventory *inventory, const char *path)
{
	const GPtrArray *all = hvr_inventory_functions(inventory);

	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		if (g_strcmp0(function->path, path) == 0)
			return function;
	}
	return NULL;
}

const HvrPciFunction *hvr_card_of_word(const HvrInventory *inventory, const char *word,
				       GError **error)
{
	g_autofree char *path = hvr_pci_path_normalise(word);
	const HvrPciFunction *function = NULL;
	HvrPciAddress address;
	guint64 index = 0;

	if (g_ascii_string_to_unsigned(word, 10, 0, G_MAXUINT, &index, NULL)) {
		function = hvr_card_of_index(inventory, index);
	} else if (hvr_pci_address_parse(word, &address)) {
		function = hvr_inventory_find(inventory, &address);
	} else if (path) {
		function = find_path(inventory, path);
	} else {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "'%s' is no address, no path of slots and no number of a card", word);
		hvr_error_hint(error, "as in 0000:02:00.0, 00:1c.4/00.0 or 0: hailo-vm-run list "
				      "shows them");
		return NULL;
	}
	if (function)
		return function;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "this host has no card '%s'", word);
	hvr_error_hint(error, "hailo-vm-run list shows the cards; a number counts its lines from "
			      "0");
	return NULL;
}
