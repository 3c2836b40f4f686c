/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/guest/artifacts.h"
#include "launcher/guest/keeper.h"
#include "launcher/guest/report-files.h"
#include "launcher/guest/trial-options.h"

/**
 * HvrRig - what `test` says of itself to whoever counts tests: one job, or those of --matrix.
 *
 * From the moment when its files are open they say what is true: of a test that goes on, that it
 * has not ended; of one that vanished, that it was killed, and in which step.
 */
typedef struct {
	HvrReportFiles files;
	HvrKeeper *keeper;
	char *all;	 /* (nullable): the name of a report of many jobs */
	GPtrArray *jobs; /* of HvrRigJob, in the order in which they are done */
} HvrRig;

/* None yet. */
#define HVR_RIG_NONE                                                                               \
	{                                                                                          \
		.files = HVR_REPORT_FILES_NONE                                                     \
	}

typedef struct {
	char *name; /* as the report calls it */
	HvrArtifacts artifacts;
	HvrTrialReport trial;
	GByteArray *tail; /* (nullable): the last words of the port and of us, when it has ended */
	gboolean ended;
} HvrRigJob;

/**
 * hvr_rig_begin - the first words, and who stands in for us.
 * @rig: with its files open; one job or all of them were added
 * Errors: HVR_LAUNCH_ERROR_KERNEL
 */
gboolean hvr_rig_begin(HvrRig *rig, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_rig_clear(HvrRig *rig);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrRig, hvr_rig_clear)

/* One more job, which has not begun yet. (transfer none) */
HvrRigJob *hvr_rig_add(HvrRig *rig, const char *name);

/* It is known by now. */
void hvr_rig_name(HvrRigJob *job, const char *name);

/* What is said from here on, and told as an event, is the job's: it is in its artifacts. */
void hvr_rig_listen(HvrRig *rig, const HvrRigJob *job);

/* A job has come to what its trial says. */
void hvr_rig_ended(HvrRig *rig, HvrRigJob *job);

/* A job that came to nothing before there was a VM, in @step; it is told to people. Takes @error.
 */
void hvr_rig_fail(HvrRig *rig, HvrRigJob *job, const char *step, GError *error);

/* A HvrTrialTold, of a rig: a step of one of its jobs begins. */
void hvr_rig_told(const HvrTrialReport *report, gpointer rig);

/* A HvrTrialForked, of a rig. */
void hvr_rig_forked(gpointer rig);

/* All that was to be done is done. Returns: the exit status, after all who asked know of it */
int hvr_rig_end(HvrRig *rig);
