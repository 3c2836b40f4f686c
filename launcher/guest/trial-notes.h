/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/guest/guest.h"
#include "launcher/guest/junit.h"
#include "launcher/guest/trial-options.h"
#include "launcher/profile/profile.h"
#include "launcher/session/detach.h"

/* What the files of a trial share, and who reports on it. */

typedef struct {
	HvrContext *context;
	HvrProfile *profile;
	const HvrTrialOptions *options;
	HvrTrialReport *report;
	HvrLock *vm_lock; /* of a name that was made, until the attempt has it */
	HvrDetached vm;
	int cause_fd; /* where the supervisor says why it ends */
	int qemu;     /* pidfd; -1: not known */
	HvrGuest *guest;
	HvrJunitCase *lost; /* (nullable): the step in which the guest was */
	gint64 begin_us;    /* of the step */
	gint64 deadline_us; /* monotonic; 0: none */
} HvrTrial;

/* How long until the deadline, at least 1; 0: there is none. */
guint hvr_trial_left_ms(const HvrTrial *trial);

/* Is it over? */
gboolean hvr_trial_is_late(const HvrTrial *trial);

/* A step begins, which is the one that is noted next, and told. @format: its name */
void hvr_trial_begin(HvrTrial *trial, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The end of a step. @message: (nullable): none where it was passed. What is returned stays the
 * report's. */
HvrJunitCase *hvr_trial_note(HvrTrial *trial, HvrJunitVerdict verdict, const char *message);

/* A step that was not passed, for whatever reason, or was cancelled, which comes first: what the
 * report has for it, and the outcome. */
HvrJunitCase *hvr_trial_note_class(HvrTrial *trial, HvrOutcomeClass class, int code,
				   const char *message);

/* One that could not be done: that the command is not in the guest is the test's own fault. */
HvrJunitCase *hvr_trial_note_cause(HvrTrial *trial, const GError *error);

/* The same, and tells people. Takes @error. */
HvrJunitCase *hvr_trial_note_error(HvrTrial *trial, GError *error);
