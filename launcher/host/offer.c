/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/host/offer.h"

#include <errno.h>

#include "launcher/host/card-word.h"
#include "launcher/report/error.h"
#include "vfio/access.h"
#include "vfio/devnodes.h"

struct HvrOffer {
	const HvrContext *context;
	const HvrInventory *inventory;
	GHashTable *listed; /* of const HvrPciFunction *; NULL: there is no list */
	GPtrArray *holds;   /* of HvrHold */
};

void hvr_offer_free(HvrOffer *offer)
{
	if (!offer)
		return;
	g_clear_pointer(&offer->listed, g_hash_table_unref);
	g_clear_pointer(&offer->holds, g_ptr_array_unref);
	g_free(offer);
}

static gboolean fail_word(const HvrContext *context, const char *word, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "%s: this host has no card for '%s' of it", context->cards_variable, word);
	hvr_error_hint(error, "its numbers count the cards of 'hailo-vm-run list' from 0, and so "
			      "has gres.conf to; " HVR_CARDS_VARIABLE " in the job's environment "
			      "is taken instead");
	return FALSE;
}

/* An engine's list: numbers, and "2-4" for three of them. */
static gboolean add_numbers(HvrOffer *offer, const char *word, GError **error)
{
	g_auto(GStrv) ends = g_strsplit(word, "-", 2);
	guint64 first = 0, last = 0;

	if (!ends[0] || !g_ascii_string_to_unsigned(ends[0], 10, 0, G_MAXUINT16, &first, NULL) ||
	    (ends[1] && !g_ascii_string_to_unsigned(ends[1], 10, first, G_MAXUINT16, &last, NULL)))
		return fail_word(offer->context, word, error);
	if (!ends[1])
		last = first;
	for (; first <= last; first++) {
		const HvrPciFunction *function = hvr_card_of_index(offer->inventory, first);
		if (!function)
			return fail_word(offer->context, word, error);
		g_hash_table_add(offer->listed, (gpointer)function);
	}
	return TRUE;
}

static gboolean add_word(HvrOffer *offer, const char *word, GError **error)
{
	const HvrContext *context = offer->context;

	if (!g_str_equal(context->cards_variable, HVR_CARDS_VARIABLE))
		return add_numbers(offer, word, error);
	const HvrPciFunction *function = hvr_card_of_word(offer->inventory, word, error);
	if (!function) {
		g_prefix_error(error, "%s: ", context->cards_variable);
		return FALSE;
	}
	g_hash_table_add(offer->listed, (gpointer)function);
	return TRUE;
}

static gboolean read_list(HvrOffer *offer, GError **error)
{
	if (!offer->context->cards)
		return TRUE;
	offer->listed = g_hash_table_new(NULL, NULL);
	g_autofree char *list = g_strstrip(g_strdup(offer->context->cards));
	/* No words, no cards: g_strsplit() of nothing is nothing. */
	g_auto(GStrv) words = g_strsplit(list, ",", -1);
	for (char **word = words; *word; word++)
		if (!add_word(offer, g_strstrip(*word), error))
			return FALSE;
	return TRUE;
}

HvrOffer *hvr_offer_look(const HvrContext *context, const HvrInventory *inventory, GError **error)
{
	g_autoptr(HvrOffer) offer = g_new0(HvrOffer, 1);

	offer->context = context;
	offer->inventory = inventory;
	if (!read_list(offer, error))
		return NULL;
	offer->holds = hvr_holds_read(context, error);
	if (!offer->holds)
		return NULL;
	return g_steal_pointer(&offer);
}

static int refusal(const HvrContext *context, const char *node)
{
	return context->host.kernel->may_open(&context->host, node);
}

/* The first node that the host's driver has made of @function, or NULL. [transfer full] */
static char *host_node(const HvrContext *context, const HvrPciFunction *function)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new();

	g_ptr_array_add(one, (gpointer)function);
	g_autoptr(HvrDevnodes) nodes = hvr_devnodes_find(&context->host, one);
	for (guint i = 0; i < nodes->nodes->len; i++) {
		const HvrDevnode *node = g_ptr_array_index(nodes->nodes, i);
		if (node->access.kind == HVR_ACCESS_NONE && node->has_number)
			return g_strdup(node->name);
	}
	return NULL;
}

/* Is a card on the same driver, of the same kind, granted? */
static gboolean grants_another(const HvrOffer *offer, const HvrPciFunction *function)
{
	const GPtrArray *all = hvr_inventory_functions(offer->inventory);

	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *other = g_ptr_array_index(all, i);
		if (other == function || other->vendor != function->vendor ||
		    g_strcmp0(other->driver, function->driver) != 0)
			continue;
		g_autofree char *node = host_node(offer->context, other);
		if (node && refusal(offer->context, node) == 0)
			return TRUE;
	}
	return FALSE;
}

/* The node that the cgroup refuses, below /dev; NULL: none. [transfer full] */
static char *refused_node(const HvrOffer *offer, const HvrPciFunction *function)
{
	HvrAccess access = hvr_access_of(function);
	g_autofree char *path = hvr_access_path(access);

	if (access.kind != HVR_ACCESS_NONE && hvr_access_exists(&offer->context->host, access))
		return refusal(offer->context, path) == EPERM ? g_steal_pointer(&path) : NULL;
	g_autofree char *node = host_node(offer->context, function);
	if (node && refusal(offer->context, node) == EPERM && grants_another(offer, function))
		return g_steal_pointer(&node);
	return NULL;
}

gboolean hvr_offer_has(const HvrOffer *offer, const HvrPciFunction *function, GError **error)
{
	if (!offer)
		return TRUE;
	if (offer->listed && !g_hash_table_contains(offer->listed, function)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "not among %s (%s)", offer->context->cards_variable,
			    offer->context->cards);
		return FALSE;
	}
	const HvrHold *hold = hvr_holds_find(offer->holds, function);
	if (hold) {
		hvr_hold_set_error(hold, function, error);
		return FALSE;
	}
	g_autofree char *node = offer->context->captured ? NULL : refused_node(offer, function);
	if (!node)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "the device cgroup of this job or service forbids /dev/%s", node);
	hvr_error_hint(error, "ask the scheduler for that card, or for one more; a service: "
			      "DeviceAllow=");
	return FALSE;
}
