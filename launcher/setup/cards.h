/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "vfio/inventory.h"

/**
 * HvrSetupCard - cards that `setup` is about, found at each boot by what they are (VENDOR:DEVICE,
 * however many) or by the slots on the way to one (its stable path). Never by a bus number.
 */
typedef struct {
	char *spec;  /* "1e60:2864" or "00:1c.4/00.0" */
	char *reset; /* reset methods to leave, "" for none; NULL: as they are */

	/* The same for the places that look for it. */
	char *pattern;	   /* a shell's case, against VENDOR:DEVICE and then the path in sysfs */
	char *match;	   /* udev, on the function */
	char *match_child; /* udev, on what hangs below it */
} HvrSetupCard;
void hvr_setup_card_free(HvrSetupCard *card);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrSetupCard, hvr_setup_card_free)

/* An empty array of them. (transfer full) */
GPtrArray *hvr_setup_cards_new(void) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_setup_card_parse - VENDOR:DEVICE, a stable path, or an address, which becomes a path.
 * @inventory: (nullable): this host's functions: what an address means, and what is at a path; the
 * quirk table tells the reset methods of what is known, others keep theirs
 * Errors: HVR_LAUNCH_ERROR_USAGE; _UNAVAILABLE for an address that is not there
 */
HvrSetupCard *hvr_setup_card_parse(const char *text, const HvrInventory *inventory,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a section of a profile means, its reset key included. Errors: as above. */
HvrSetupCard *hvr_setup_card_of_device(const HvrProfileDevice *device,
				       const HvrInventory *inventory,
				       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "1e60:2864,1e60:45c4": the ids of those that are named by them, each once; "" for none.
 * @out_n: (nullable): how many. Pure. (transfer full) */
char *hvr_setup_cards_ids(const GPtrArray *cards, guint *out_n) G_GNUC_WARN_UNUSED_RESULT;

/* Is @function one of those that @card is about? Pure. */
gboolean hvr_setup_card_is(const HvrSetupCard *card, const HvrPciFunction *function);

/* As kept in the state file: "SPEC keep", "SPEC none", "SPEC bus pm". (transfer full) */
char *hvr_setup_card_to_text(const HvrSetupCard *card) G_GNUC_WARN_UNUSED_RESULT;
/* NULL when it is no such text. (transfer full) */
HvrSetupCard *hvr_setup_card_from_text(const char *text) G_GNUC_WARN_UNUSED_RESULT;
