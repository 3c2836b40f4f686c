/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrQuirk - what is known of one accelerator. A new accelerator is one line of the table.
 */
typedef struct {
	guint16 vendor;
	guint16 device;
	const char *name;
	/* Reset methods to leave, space separated; "" empties the list; NULL keeps the kernel's. */
	const char *reset_method;
} HvrQuirk;

/* Returns: the table's entry, or NULL for a function that is no known accelerator. */
const HvrQuirk *hvr_quirk_find(guint16 vendor, guint16 device);

/* A function for which Linux has a reset of its own (device_specific), as a plain FLR will not do.
 */
typedef struct {
	guint16 vendor;
	guint16 device;
	const char *name;
	const char *why; /* what comes of "one", an FLR */
} HvrResetCare;

/* NULL: Linux has none for it. */
const HvrResetCare *hvr_reset_care_find(guint16 vendor, guint16 device);
