/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "launcher/session/run-options.h"

/**
 * hvr_warm_run - hvr_run() of a guest that was saved when it was ready, without its cards
 * (profile->warm).
 *
 * Where there is no state of this VM yet, it is booted once without its cards, and saved. Where
 * there is one, but not of this very guest, or the guest cannot be saved, or QEMU does not go on
 * with it, or somebody drops it before QEMU has it open, HVR_WARM_AUTO boots as ever, and says why
 * in one line, unless somebody was told already that the VM runs; HVR_WARM_REQUIRE is an error.
 * @profile: as it was when this returns
 * @options: of HVR_RUN_SUPERVISE
 * Errors: as hvr_run(); HVR_LAUNCH_ERROR_UNAVAILABLE
 */
gboolean hvr_warm_run(HvrContext *context, HvrProfile *profile, const HvrRunOptions *options,
		      GError **error);

/**
 * hvr_warm_save - boot the profile without its cards, save the guest when it is ready, end it. In
 * place of all states that this VM had before.
 * Errors: as hvr_run(); HVR_LAUNCH_ERROR_UNAVAILABLE: it cannot be saved, or something that it
 * depends on has changed meanwhile
 */
gboolean hvr_warm_save(HvrContext *context, HvrProfile *profile, const HvrRunOptions *options,
		       GError **error);
