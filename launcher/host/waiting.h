/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "vfio/inventory.h"

/**
 * hvr_waiting_tell - who waits for a card says which one, and who has it: an event "waiting", and a
 * message. Once for each reason.
 * @busy: of char *, the locks that are in the way; empty: a process of the host is
 * @cause: why no card is to be had now
 * @told: (inout): what was told last; the caller frees it
 */
void hvr_waiting_tell(const HvrContext *context, const HvrInventory *inventory,
		      const GPtrArray *busy, const GError *cause, char **told);
