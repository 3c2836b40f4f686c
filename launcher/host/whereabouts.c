/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * That a step went well says that it had its effect; not that the card is still there, nor which
 * driver the kernel found for it when its own was gone. So what people are told is looked up.
 */
#include "launcher/host/whereabouts.h"

#include "vfio/step.h"

static char *describe_driverless(const HvrHost *host, const char *was)
{
	if (hvr_driver_exists(host, was))
		return g_strdup_printf("has no driver: '%s' does not have it", was);
	return g_strdup_printf("has no driver: '%s' is not there any more and nothing else takes "
			       "it",
			       was);
}

char *hvr_whereabouts(const HvrHost *host, const HvrInventory *inventory,
		      const HvrJournalEntry *entry, gboolean *out_as_before)
{
	const HvrPciFunction *function = hvr_inventory_find(inventory, &entry->address);
	const char *was = entry->saved->driver;

	*out_as_before = FALSE;
	if (!function)
		return g_strdup("is no longer on this host's bus");
	if (function->vendor != entry->vendor || function->device != entry->device)
		return g_strdup_printf("is no longer on this host's bus: its address is that of "
				       "another card, %04x:%04x, which was left alone",
				       function->vendor, function->device);
	*out_as_before = g_strcmp0(function->driver, was) == 0;
	if (*out_as_before && was)
		return g_strdup_printf("is back on %s", was);
	if (*out_as_before)
		return g_strdup("is back, on no driver as before");
	if (!function->driver)
		return describe_driverless(host, was);
	if (!was)
		return g_strdup_printf("is on %s now, and was on no driver before",
				       function->driver);
	if (hvr_driver_exists(host, was))
		return g_strdup_printf("is on %s now, and was on %s before", function->driver, was);
	return g_strdup_printf("is on %s now: '%s' is not there any more", function->driver, was);
}
