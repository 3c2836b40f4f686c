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

/**
 * hvr_run_show - --dry-run: the very plan that hvr_run() would carry out, on standard output.
 * Changes nothing; a busy card is an error here as there.
 * @changes: also the changes to the host, before QEMU's command line
 */
gboolean hvr_run_show(HvrContext *context, const HvrProfile *profile, gboolean changes,
		      GError **error);
