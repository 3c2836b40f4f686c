/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/offer.h"
#include "launcher/profile/profile.h"
#include "vfio/inventory.h"

/**
 * hvr_select - the functions that a [device] section means. Pure.
 *
 * Returns: (transfer container): array of HvrPciFunction, sorted by address: exactly one for
 * `pick = only`, one or more for `pick = free`.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: nothing matches, or more than one does under `only`; the
 * hint lists the candidates with driver and group. HVR_VFIO_ERROR_UNSUITABLE for a bridge.
 */
GPtrArray *hvr_select(const HvrProfileDevice *device, const HvrInventory *inventory,
		      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_select_offered - the same among the functions that this process may have: the others do not
 * count, whatever else matches.
 * @offer: (nullable): NULL: all are offered
 * Errors: as above; and where something matches and nothing of that is offered, HVR_LAUNCH_ERROR_-
 * PERMISSION where the cgroup alone is why, else _UNAVAILABLE, with the reason of each.
 */
GPtrArray *hvr_select_offered(const HvrProfileDevice *device, const HvrInventory *inventory,
			      const HvrOffer *offer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
