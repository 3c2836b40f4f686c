/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/guest/outcome.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "launcher/runtime/lock.h"

/**
 * HvrTrial - `test`: one command in a disposable VM, from nothing to nothing. (What begins with
 * "test" is the tests'.)
 */
typedef struct {
	char **command;	   /* for the guest */
	char **fetch;	   /* (nullable): "GUESTFILE:HOSTFILE" words */
	GByteArray *input; /* (nullable): for the command, see hvr_guest_input_read() */
	int wait_s;	   /* for busy cards, see hvr_claim_take() */
	int wait_ready_s;  /* how long the guest may take to be ready */
	int timeout_s;	   /* for the command; 0: none */
	gboolean verify;
	HvrLock *vm_lock; /* (transfer full): see HvrRunOptions */
} HvrTrialOptions;

/**
 * hvr_trial_bend - make a profile's VM disposable, and one that can be asked: writes of every disk
 * go to a throw-away overlay, there is an agent, and it is known when the guest is ready.
 */
void hvr_trial_bend(HvrProfile *profile);

/* Is @word "GUESTFILE:HOSTFILE", with a path of the guest that begins with '/'? */
gboolean hvr_trial_fetch_valid(const char *word);

/* What came of it. */
typedef struct {
	GPtrArray *cases; /* of HvrJunitCase: what each step came to */
	HvrOutcome outcome;
	/* This is the child that is forked for the VM: nothing of the above is there, and nothing
	 * is to be done but to end with this status. */
	gboolean child;
	int child_status;
} HvrTrialReport;
void hvr_trial_report_clear(HvrTrialReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrTrialReport, hvr_trial_report_clear)

/**
 * hvr_trial_run - start, wait until it is ready, verify, run the command, fetch, stop, give back.
 * Whatever fails, what was begun is undone; a signal ends the command and then the VM.
 */
void hvr_trial_run(HvrContext *context, const HvrProfile *profile, const HvrTrialOptions *options,
		   HvrTrialReport *out_report);
