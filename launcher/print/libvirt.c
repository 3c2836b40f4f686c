/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For virsh edit: what goes between <devices> and </devices>. managed='yes' lets libvirt take a
 * function from its driver and give it back.
 */
#include "launcher/print/print.h"

#include "launcher/host/judge.h"

/* Of libvirt's buses: those below are for what a domain has beside. */
#define FIRST_BUS 0x10

/* The first of them is enough. */
static void keep_refusal(const HvrProfileDevice *device, GError *error, gpointer data)
{
	GError **first = data;

	if (*first)
		g_error_free(error);
	else
		*first = error;
}

HvrClaim *hvr_print_cards(const HvrContext *context, const HvrProfile *profile,
			  const HvrInventory *inventory, GError **error)
{
	GError *refusal = NULL;
	g_autoptr(HvrOffer) offer = hvr_offer_look(context, inventory, error);

	if (!offer)
		return NULL;
	const HvrClaimHow how = { .offer = offer, .refused = keep_refusal, .data = &refusal };
	g_autoptr(HvrClaim) claim = hvr_claim_choose(context, profile->devices, inventory, &how);

	if (refusal) {
		g_propagate_error(error, refusal);
		return NULL;
	}
	return g_steal_pointer(&claim);
}

/* Only of what is the function of a slot with others: libvirt makes the port that the bus is for,
 * and those in front of it, so that these are behind the ones that it counts by itself. */
static char *guest_address(const GPtrArray *cards, const HvrProfileDevice *device)
{
	const char *port = device->with ? device->with : device->id;
	guint bus = FIRST_BUS;

	if (!device->with && !device->shared)
		return g_strdup("");
	for (guint i = 0; i < cards->len; i++, bus++)
		if (g_str_equal(((HvrClaimedCard *)cards->pdata[i])->device->id, port))
			break;
	return g_strdup_printf("  <address type='pci' domain='0x0000' bus='0x%02x' slot='0x00' "
			       "function='0x%x'%s/>\n",
			       bus, device->function, device->shared ? " multifunction='on'" : "");
}

/* @why: the section's name, or what brings it along
 * @place: more of the element: where the guest has it */
static void append_function(GString *text, const HvrInventory *inventory,
			    const HvrPciFunction *function, const char *why, const char *place)
{
	const HvrPciAddress *address = &function->address;
	g_autofree char *name = hvr_inventory_describe(inventory, function);
	/* XML has no "--" within a comment. */
	g_auto(GStrv) pieces = g_strsplit(name, "--", -1);
	g_autofree char *comment = g_strjoinv("- -", pieces);

	g_string_append_printf(text,
			       "<!-- %s: %s %s -->\n"
			       "<hostdev mode='subsystem' type='pci' managed='yes'>\n"
			       "  <source>\n"
			       "    <address domain='0x%04x' bus='0x%02x' slot='0x%02x' "
			       "function='0x%x'/>\n"
			       "  </source>\n%s"
			       "</hostdev>\n",
			       why, function->name, comment, address->domain, address->bus,
			       address->slot, address->function, place);
}

char *hvr_print_libvirt(const HvrInventory *inventory, const HvrClaim *claim)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		g_autoptr(GPtrArray) companions = hvr_judge_companions(inventory, claim, card);
		g_autofree char *place = guest_address(claim->cards, card->device);
		append_function(text, inventory, card->function, card->device->id, place);
		for (guint k = 0; k < companions->len; k++) {
			const HvrPciFunction *member = g_ptr_array_index(companions, k);
			if (!hvr_pci_function_is_bridge(member) &&
			    g_hash_table_add(seen, (gpointer)member))
				append_function(text, inventory, member, "in the same IOMMU group",
						"");
		}
	}
	return g_string_free(text, FALSE);
}
