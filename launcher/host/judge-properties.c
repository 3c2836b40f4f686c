/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties of QEMU's vfio-pci that are for cards of one kind, or for some BARs of a card. Of
 * another, QEMU ends when it gets the card, which has moved by then; or it is silent, and nothing
 * comes of them.
 */
#include "launcher/host/judge.h"

#include <string.h>

#include "launcher/report/error.h"
#include "vfio/error.h"

#define DISPLAY 0x03
#define VGA	0x0300

#define BAR "bar" /* and a digit: a word of x-msix-relocation */

static const struct {
	const char *name;
	guint16 vendor;	   /* 0: any */
	gboolean only_vga; /* of the graphics adapters, those that are VGA's */
	const char *kind;
} rules[] = {
	/* vfio_pci_is_vga() in Linux's drivers/vfio/pci/vfio_pci_core.c: else there is no such
	 * region, "failed getting region info for VGA region index 8" */
	{ "x-vga", 0, TRUE, "a VGA adapter" },
	/* vfio_pci_igd_init() in Linux's drivers/vfio/pci/vfio_pci_igd.c; QEMU up to 10.0: "does
	 * not support requested IGD OpRegion feature" */
	{ "x-igd-opregion", 0x8086, FALSE, "a graphics adapter of Intel's" },
	/* vfio_add_nv_gpudirect_cap() in QEMU's hw/vfio/pci-quirks.c: "NVIDIA GPUDirect Clique ID:
	 * invalid device vendor", "unsupported PCI class" */
	{ "x-nv-gpudirect-clique", 0x10de, FALSE, "a graphics adapter of NVIDIA's" },
};

static gboolean is_on(const HvrCardProperty *property)
{
	return property->kind != HVR_PROPERTY_SWITCH || property->number != 0;
}

/* What QEMU takes it for: a section may say another vendor. */
static guint16 vendor_of(const HvrProfileDevice *device, const HvrPciFunction *function)
{
	for (guint i = 0; i < device->properties->len; i++) {
		const HvrCardProperty *property =
			&g_array_index(device->properties, HvrCardProperty, i);
		if (g_str_equal(property->name, "x-pci-vendor-id"))
			return (guint16)property->number;
	}
	return function->vendor;
}

/* What keeps QEMU from putting the card's table of interrupts there; NULL: nothing */
static const char *const no_relocation[] = {
	[HVR_BAR_GROWS] = NULL,
	[HVR_BAR_IO] = "I/O ports",
	[HVR_BAR_UPPER] = "the upper half of the 64-bit BAR before it",
	[HVR_BAR_FULL] = "32-bit memory, of which there is no more",
};

/* "No" where the card has such a table, else in vain. */
static gboolean judge_relocation(const HvrPlanInput *input, const HvrClaimedCard *card,
				 const HvrCardProperty *property, GError **error)
{
	if (!g_str_equal(property->name, "x-msix-relocation") ||
	    !g_str_has_prefix(property->word, BAR))
		return TRUE;
	const HvrBars *bars = g_hash_table_lookup(input->view->bars, card->function);
	const char *why = no_relocation[bars->kinds[property->word[strlen(BAR)] - '0']];
	if (!why)
		return TRUE;
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE,
		    "%s: property x-msix-relocation cannot be %s, which is %s",
		    card->function->name, property->word, why);
	hvr_error_hint(error, "name another BAR in [device %s]", card->device->id);
	return FALSE;
}

static gboolean judge_kind(const HvrClaimedCard *card, const HvrCardProperty *property,
			   GError **error)
{
	const HvrPciFunction *function = card->function;
	guint16 vendor = vendor_of(card->device, function);
	guint32 class = function->class_code;

	for (gsize i = 0; is_on(property) && i < G_N_ELEMENTS(rules); i++) {
		if (!g_str_equal(rules[i].name, property->name))
			continue;
		if ((!rules[i].vendor || rules[i].vendor == vendor) &&
		    (rules[i].only_vga ? class >> 8 == VGA : class >> 16 == DISPLAY))
			return TRUE;
		g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_UNSUITABLE,
			    "%s: property %s is for %s, which it is not", function->name,
			    property->name, rules[i].kind);
		hvr_error_hint(error, "leave it out of properties in [device %s]",
			       card->device->id);
		return FALSE;
	}
	return TRUE;
}

gboolean hvr_judge_properties(const HvrPlanInput *input, const HvrClaimedCard *card, GError **error)
{
	const GArray *properties = card->device->properties;

	for (guint i = 0; properties && i < properties->len; i++) {
		const HvrCardProperty *property = &g_array_index(properties, HvrCardProperty, i);
		if (!judge_kind(card, property, error) ||
		    !judge_relocation(input, card, property, error))
			return FALSE;
	}
	return TRUE;
}
