/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/offer.h"
#include "launcher/profile/profile.h"
#include "vfio/inventory.h"

/* A [device] section and the functions that would do for it. */
typedef struct {
	const HvrProfileDevice *device;
	GPtrArray *found; /* of HvrPciFunction, sorted by address; NULL with @error */
	GError *error;	  /* what hvr_select_offered() said */
} HvrWish;

/**
 * hvr_wishes_new - the sections in the order in which they choose.
 * @devices: of HvrProfileDevice, which live longer
 * @offer: (nullable): the functions that count; NULL: all
 *
 * The choosiest first: what it wants is then not taken by one that any card would do for. Sets of
 * cards lie in each other or apart, so nothing more is needed. Those that nothing would do for are
 * in front of all.
 *
 * Returns: (transfer full): array of HvrWish
 */
GPtrArray *hvr_wishes_new(const GPtrArray *devices, const HvrInventory *inventory,
			  const HvrOffer *offer) G_GNUC_WARN_UNUSED_RESULT;

/* All cards that would do are taken by other sections. Waiting does not help: whom this VM would
 * have to wait for is itself. HVR_LAUNCH_ERROR_UNAVAILABLE. */
void hvr_wish_set_too_few(const HvrWish *wish, GError **error);
