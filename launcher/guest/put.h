/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/guest/guest.h"
#include "launcher/guest/options.h"

/**
 * hvr_guest_put - copy a file of the host into the guest, from its beginning, whoever has read of
 * it before. What is there already is written over; until its permissions are those of the host's
 * file nothing is in it.
 * @to: its path there
 * @keep_mode: give it the permissions of the host's file, by the guest's chmod(1)
 * Errors: as hvr_guest_run(); what was written stays
 */
gboolean hvr_guest_put(HvrGuest *guest, const HvrGuestPut *put, const char *to, gboolean keep_mode,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;
