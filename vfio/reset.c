/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a reset can still do. No promise is made here that the kernel does not keep.
 */
#include "vfio/reset.h"

#include <string.h>

/* Is @method one of @methods, separated by spaces? */
static gboolean offers(const char *methods, const char *method)
{
	g_auto(GStrv) words = g_strsplit(methods, " ", -1);
	return g_strv_contains((const char *const *)words, method);
}

HvrResetReach hvr_reset_reach(const HvrPciFunction *function, const char *original,
			      const char *left, gboolean alone)
{
	/* A function on a root bus has no bridge whose secondary bus could be reset. */
	gboolean below_bridge = function->path && strchr(function->path, '/');

	if (left && *left)
		return HVR_RESET_FUNCTION;
	if (!below_bridge)
		return HVR_RESET_NONE;
	if (original && *original && alone && !offers(original, "bus"))
		return HVR_RESET_NONE;
	return HVR_RESET_BUS;
}

char *hvr_reset_describe(HvrResetReach reach, const char *left)
{
	switch (reach) {
	case HVR_RESET_NONE:
		return g_strdup("no reset can reach it");
	case HVR_RESET_BUS:
		return g_strdup("function resets are off; bus resets still reach it when QEMU "
				"starts, when the guest reboots and when QEMU lets go of it");
	case HVR_RESET_FUNCTION:
		return g_strdup_printf("function resets (%s) reach it when QEMU starts, when the "
				       "guest reboots and when QEMU lets go of it",
				       left);
	}
	g_return_val_if_reached(NULL);
}

gboolean hvr_reset_alone_on_bus(const HvrInventory *inventory, const HvrPciFunction *function)
{
	const GPtrArray *all = hvr_inventory_functions(inventory);
	guint on_bus = 0;

	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *other = g_ptr_array_index(all, i);
		if (other->address.domain == function->address.domain &&
		    other->address.bus == function->address.bus)
			on_bus++;
	}
	return on_bus == 1;
}
