/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "launcher/session/run-options.h"

/**
 * hvr_run - the main job: from a profile to the end of its VM.
 *
 * Judges everything, changes the host, starts QEMU, stays with it, gives everything back. Leftovers
 * of owners that died are given back first. Whatever ends it, the host is as it was, or the journal
 * says what is not.
 * Returns: FALSE with @error, also when QEMU failed. A VM that a signal ended is no error here: see
 * hvr_interrupt_pending().
 */
gboolean hvr_run(HvrContext *context, const HvrProfile *profile, const HvrRunOptions *options,
		 GError **error);
