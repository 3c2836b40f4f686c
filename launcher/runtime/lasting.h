/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"

/**
 * What outlives a boot, below /var/lib/hailo-vm-run:
 *
 *   holds/CARD     the cards that are held (holds.h)
 *   counters       how often each card was taken, and failed (counters.h)
 *   audit.log      who did what to which card, where there is no journald (audit.h)
 *   setup.ini      what `setup` has done (launcher/setup/state.h)
 *
 * Root alone writes there, everybody may read: a plain user's run obeys a hold, too.
 */

#define HVR_LASTING_PATH "/var/lib/hailo-vm-run"

/**
 * hvr_lasting_open - open that folder, or a folder in it.
 * @part: (nullable): the folder in it
 * @create: make what is missing of both (0755); /var/lib is there or is not
 * Returns: a descriptor that the caller closes; -1 with an error, or without one when it is merely
 * not there and @create is FALSE
 * Errors: HVR_LAUNCH_ERROR_PERMISSION when it is a link, somebody else's or others can write to it;
 * _UNAVAILABLE in a captured tree that was to be changed; G_IO_ERROR
 */
int hvr_lasting_open(const HvrContext *context, const char *part, gboolean create,
		     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_lasting_lock - one writer at a time, by a file that only root can open: nobody else can keep
 * it locked. Waits; whoever has it only writes a file.
 * @folder: of hvr_lasting_open(), without a part
 * Returns: a descriptor: closing it unlocks; or -1
 */
int hvr_lasting_lock(int folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The text of a file in @folder that is no link and has at most @most bytes; else NULL. (transfer
 * full) */
char *hvr_lasting_read(int folder, const char *name, gsize most) G_GNUC_WARN_UNUSED_RESULT;
