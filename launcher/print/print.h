/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/claim.h"
#include "launcher/runtime/context.h"

/* The cards of a profile in the words of others. Nothing is changed. */

/**
 * hvr_print_cards - the cards that @profile means now, free or not, without locks.
 * Errors: of hvr_claim_choose().
 */
HvrClaim *hvr_print_cards(const HvrContext *context, const HvrProfile *profile,
			  const HvrInventory *inventory, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_print_libvirt - a <hostdev> for each card and for each endpoint that shares its IOMMU group:
 * libvirt gives a group to one guest or to none. Pure. [transfer full]
 */
char *hvr_print_libvirt(const HvrInventory *inventory,
			const HvrClaim *claim) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_print_docker - the options of `docker run` for cards that are on their host driver, one a
 * line: what it shall see of the host, and each card's nodes.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE for a card whose driver has made no node.
 */
char *hvr_print_docker(const HvrHost *host, const HvrClaim *claim,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;
