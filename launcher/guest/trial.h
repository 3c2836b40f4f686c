/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * HvrTrial - `test`: one command in a disposable VM, from nothing to nothing. (What begins with
 * "test" is the tests'.)
 */
typedef struct {
	char **command;	  /* for the guest */
	char **fetch;	  /* (nullable): "GUESTFILE:HOSTFILE" words */
	int wait_s;	  /* for busy cards, see hvr_claim_take() */
	int wait_ready_s; /* how long the guest may take to be ready */
	int timeout_s;	  /* for the command; 0: none */
	gboolean verify;
} HvrTrialOptions;

/**
 * hvr_trial_bend - make a profile's VM disposable, and one that can be asked: writes of every disk
 * go to a throw-away overlay, there is an agent, and it is known when the guest is ready.
 */
void hvr_trial_bend(HvrProfile *profile);

/* Is @word "GUESTFILE:HOSTFILE", with a path of the guest that begins with '/'? */
gboolean hvr_trial_fetch_valid(const char *word);

/**
 * hvr_trial_run - start, wait until it is ready, verify, run the command, fetch, stop, give back.
 * Whatever fails, what was begun is undone; a signal ends the command and then the VM.
 * @out_cases: (transfer full): array of HvrJunitCase, what each step came to
 * Returns: the command's exit status; where it did not run, or did well and something later did
 * not, that of the first failure. In the child that is forked for the VM: its exit status.
 * @out_child: this is that child, and nothing else is to be done
 */
int hvr_trial_run(HvrContext *context, const HvrProfile *profile, const HvrTrialOptions *options,
		  GPtrArray **out_cases, gboolean *out_child);
