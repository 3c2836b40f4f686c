/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/inventory.h"

/**
 * hvr_card_of_word - the function that a word of somebody's names: an address ("02:00.0",
 * "0000:02:00.0"), a stable path ("00:1c.4/00.0"), or a number, which counts the accelerators that
 * `list` shows, by address and from 0. Pure.
 * Returns: (transfer none)
 * Errors: HVR_LAUNCH_ERROR_USAGE: it is none of these; _UNAVAILABLE: there is no such function
 */
const HvrPciFunction *hvr_card_of_word(const HvrInventory *inventory, const char *word,
				       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The accelerator of that number, or NULL. (transfer none) */
const HvrPciFunction *hvr_card_of_index(const HvrInventory *inventory, guint64 index);
