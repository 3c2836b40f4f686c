/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/host/wish.h"

#include "launcher/host/select.h"
#include "launcher/report/error.h"

static void wish_free(gpointer data)
{
	HvrWish *wish = data;

	g_clear_pointer(&wish->found, g_ptr_array_unref);
	g_clear_error(&wish->error);
	g_free(wish);
}

static int count(const HvrWish *wish)
{
	if (!wish->found)
		return 0;
	return (int)wish->found->len;
}

static int compare(gconstpointer a, gconstpointer b)
{
	const HvrWish *const *left = a, *const *right = b;

	return count(*left) - count(*right);
}

GPtrArray *hvr_wishes_new(const GPtrArray *devices, const HvrInventory *inventory,
			  const HvrOffer *offer)
{
	GPtrArray *wishes = g_ptr_array_new_with_free_func(wish_free);

	for (guint i = 0; i < devices->len; i++) {
		HvrWish *wish = g_new0(HvrWish, 1);
		wish->device = g_ptr_array_index(devices, i);
		wish->found = hvr_select_offered(wish->device, inventory, offer, &wish->error);
		g_ptr_array_add(wishes, wish);
	}
	g_ptr_array_sort(wishes, compare);
	return wishes;
}

void hvr_wish_set_too_few(const HvrWish *wish, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "device '%s': other devices of this profile take all cards that match",
		    wish->device->id);
	hvr_error_hint(error, "remove a [device] section, or add a card");
}
