/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A card, said in the languages of those who will look for it when this program does not run: the
 * shell of an initramfs, and udev.
 *
 * The bus numbers of a path are given at each boot, so a pattern has "??" for them; only the number
 * of the root bus is the firmware's. A root may lie below another one (Intel VMD).
 */
#include "launcher/setup/cards.h"

#include <string.h>

#include "launcher/report/error.h"

#define KEEP "keep"
#define NONE "none"

void hvr_setup_card_free(HvrSetupCard *card)
{
	if (!card)
		return;
	g_free(card->spec);
	g_free(card->reset);
	g_free(card->pattern);
	g_free(card->match);
	g_free(card->match_child);
	g_free(card);
}

GPtrArray *hvr_setup_cards_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)hvr_setup_card_free);
}

static HvrSetupCard *card_by_id(guint16 vendor, guint16 device)
{
	HvrSetupCard *card = g_new0(HvrSetupCard, 1);
	const HvrQuirk *quirk = hvr_quirk_find(vendor, device);

	card->spec = g_strdup_printf("%04x:%04x", vendor, device);
	if (quirk)
		card->reset = g_strdup(quirk->reset_method);
	card->pattern = g_strconcat(card->spec, "*", NULL);
	card->match = g_strdup_printf("ATTR{vendor}==\"0x%04x\", ATTR{device}==\"0x%04x\"", vendor,
				      device);
	card->match_child = g_strdup_printf("ATTRS{vendor}==\"0x%04x\", ATTRS{device}==\"0x%04x\"",
					    vendor, device);
	return card;
}

/* "00:1c.4/00.0" -> "pci0000:00/0000:00:1c.4/0000:??:00.0" */
static char *sysfs_pattern(const char *path)
{
	g_auto(GStrv) slots = g_strsplit(path, "/", -1);
	HvrPciAddress root;

	if (!slots[0] || !hvr_pci_address_parse(slots[0], &root))
		return NULL;
	GString *text = g_string_new(NULL);
	g_string_append_printf(text, "pci%04x:%02x/%04x:%02x:%02x.%x", root.domain, root.bus,
			       root.domain, root.bus, root.slot, root.function);
	for (guint i = 1; slots[i]; i++)
		g_string_append_printf(text, "/%04x:??:%s", root.domain, slots[i]);
	return g_string_free(text, FALSE);
}

/* @inventory: (nullable) */
static const HvrPciFunction *function_at_path(const HvrInventory *inventory, const char *path)
{
	if (!inventory)
		return NULL;
	const GPtrArray *all = hvr_inventory_functions(inventory);
	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		if (g_strcmp0(function->path, path) == 0)
			return function;
	}
	return NULL;
}

/* @path: normalised */
static HvrSetupCard *card_by_path(const char *path, const HvrInventory *inventory)
{
	const HvrPciFunction *function = function_at_path(inventory, path);
	g_autofree char *below = sysfs_pattern(path);
	HvrSetupCard *card = g_new0(HvrSetupCard, 1);

	card->spec = g_strdup(path);
	if (function && function->quirk)
		card->reset = g_strdup(function->quirk->reset_method);
	card->pattern = g_strconcat("*/", below, NULL);
	card->match = g_strdup_printf("DEVPATH==\"*/%s\"", below);
	card->match_child = g_strdup_printf("DEVPATH==\"*/%s/*\"", below);
	return card;
}

static HvrSetupCard *card_by_address(const HvrPciAddress *address, const HvrInventory *inventory,
				     GError **error)
{
	const HvrPciFunction *function = NULL;
	char name[HVR_PCI_ADDRESS_SIZE];

	if (inventory)
		function = hvr_inventory_find(inventory, address);
	if (function && function->path)
		return card_by_path(function->path, inventory);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "there is no PCI function %s on this host",
		    hvr_pci_address_format(address, name));
	hvr_error_hint(error, "an address may change: see 'hailo-vm-run list', or name the card by "
			      "VENDOR:DEVICE");
	return NULL;
}

static gboolean parse_id(const char *text, guint16 *out_vendor, guint16 *out_device)
{
	g_auto(GStrv) halves = g_strsplit(text, ":", -1);
	guint64 vendor, device;

	if (g_strv_length(halves) != 2 || strlen(halves[0]) != 4 || strlen(halves[1]) != 4 ||
	    !g_ascii_string_to_unsigned(halves[0], 16, 0, G_MAXUINT16, &vendor, NULL) ||
	    !g_ascii_string_to_unsigned(halves[1], 16, 0, G_MAXUINT16, &device, NULL))
		return FALSE;
	*out_vendor = (guint16)vendor;
	*out_device = (guint16)device;
	return TRUE;
}

HvrSetupCard *hvr_setup_card_parse(const char *text, const HvrInventory *inventory, GError **error)
{
	g_autofree char *path = hvr_pci_path_normalise(text);
	HvrPciAddress address;
	guint16 vendor, device;

	if (parse_id(text, &vendor, &device))
		return card_by_id(vendor, device);
	if (hvr_pci_address_parse(text, &address))
		return card_by_address(&address, inventory, error);
	if (path)
		return card_by_path(path, inventory);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
		    "'%s' is no VENDOR:DEVICE, path or address of a card", text);
	hvr_error_hint(error, "such as 1e60:2864, or 00:1c.4/00.0 as 'hailo-vm-run list' shows it");
	return NULL;
}

char *hvr_setup_cards_ids(const GPtrArray *cards, guint *out_n)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new();
	guint16 vendor, device;

	for (guint i = 0; i < cards->len; i++) {
		const HvrSetupCard *card = g_ptr_array_index(cards, i);
		if (parse_id(card->spec, &vendor, &device) &&
		    !g_ptr_array_find_with_equal_func(ids, card->spec, g_str_equal, NULL))
			g_ptr_array_add(ids, card->spec);
	}
	if (out_n)
		*out_n = ids->len;
	g_ptr_array_add(ids, NULL);
	return g_strjoinv(",", (char **)ids->pdata);
}

gboolean hvr_setup_card_is(const HvrSetupCard *card, const HvrPciFunction *function)
{
	guint16 vendor, device;

	if (parse_id(card->spec, &vendor, &device))
		return function->vendor == vendor && function->device == device;
	return g_strcmp0(function->path, card->spec) == 0;
}

/* The profile's word about resets goes before the quirk table's. */
static void set_reset(HvrSetupCard *card, const char *reset)
{
	if (g_str_equal(reset, "auto"))
		return;
	g_clear_pointer(&card->reset, g_free);
	if (!g_str_equal(reset, KEEP))
		card->reset = g_strdup(reset);
}

HvrSetupCard *hvr_setup_card_of_device(const HvrProfileDevice *device,
				       const HvrInventory *inventory, GError **error)
{
	HvrSetupCard *card = NULL;

	switch (device->by) {
	case HVR_SELECT_MATCH:
		card = card_by_id(device->vendor, device->device);
		break;
	case HVR_SELECT_ADDRESS:
		card = card_by_address(&device->address, inventory, error);
		break;
	case HVR_SELECT_PATH:
		card = card_by_path(device->path, inventory);
		break;
	}
	if (card)
		set_reset(card, device->reset);
	return card;
}

char *hvr_setup_card_to_text(const HvrSetupCard *card)
{
	const char *reset = card->reset;

	if (!reset)
		reset = KEEP;
	else if (!*reset)
		reset = NONE;
	return g_strconcat(card->spec, " ", reset, NULL);
}

HvrSetupCard *hvr_setup_card_from_text(const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 2);

	if (g_strv_length(words) != 2)
		return NULL;
	HvrSetupCard *card = hvr_setup_card_parse(words[0], NULL, NULL);
	const char *reset = words[1];
	if (g_str_equal(reset, NONE))
		reset = "";
	if (card)
		set_reset(card, reset);
	return card;
}
