/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/guest/trial-options.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * HvrTrial - `test`: one command in a disposable VM, from nothing to nothing. (What begins with
 * "test" is the tests'.)
 */

/**
 * hvr_trial_bend - make a profile's VM disposable, and one that can be asked: writes of every disk
 * go to a throw-away overlay, there is an agent, and it is known when the guest is ready.
 */
void hvr_trial_bend(HvrProfile *profile);

/* Is @word "GUESTFILE:HOSTFILE", with a path of the guest that begins with '/'? */
gboolean hvr_trial_fetch_valid(const char *word);

/* Could the caller write the HOSTFILE of each of @words (nullable)? Changes nothing.
 * Errors: of hvr_open_fail() */
gboolean hvr_trial_fetch_check(char **words, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_trial_run - start, wait until it is ready, verify, run the command, fetch, stop, give back.
 * Whatever fails, what was begun is undone; a signal ends the command and then the VM.
 * @profile: where its name was made, each further attempt has one of its own
 */
void hvr_trial_run(HvrContext *context, HvrProfile *profile, const HvrTrialOptions *options,
		   HvrTrialReport *out_report);
