/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/guest/artifacts.h"
#include "launcher/guest/options.h"
#include "launcher/guest/outcome.h"
#include "launcher/runtime/lock.h"

/* What `test` is asked for, and what comes of it. */

typedef struct HvrTrialReport HvrTrialReport;

/* A step begins: @report is what would be true of the test if this process ended now. */
typedef void (*HvrTrialTold)(const HvrTrialReport *report, gpointer user_data);

/* In the child that is forked for the VM: lets go of what is the parent's alone. */
typedef void (*HvrTrialForked)(gpointer user_data);

typedef struct {
	char **command;	   /* for the guest */
	char **fetch;	   /* (nullable): "GUESTFILE:HOSTFILE" words */
	int command_input; /* see hvr_guest_input_keep(); -1: none */
	int wait_s;	   /* for busy cards, see hvr_claim_take() */
	int wait_ready_s;  /* how long the guest may take to be ready */
	int timeout_s;	   /* for the command; 0: none */
	int deadline_s;	   /* for all of it, but the giving back; 0: none */
	int retries;	   /* how often it is tried again where no test is to be blamed */
	gboolean keep;	   /* a VM whose test has not passed stays */
	gboolean verify;
	HvrGuestOptions guest; /* how the command is run there */
	GPtrArray *puts;  /* (nullable): what is opened of that, see hvr_guest_options_open() */
	HvrLock *vm_lock; /* (transfer full): see HvrRunOptions */
	const HvrArtifacts *artifacts;
	HvrTrialTold told;     /* (nullable) */
	HvrTrialForked forked; /* (nullable) */
	gpointer user_data;    /* of both */
} HvrTrialOptions;

struct HvrTrialReport {
	GPtrArray *cases; /* of HvrJunitCase: what each step came to */
	HvrOutcome outcome;
	char *step;	   /* what is being done */
	GPtrArray *before; /* of HvrOutcome: of attempts that were tried again; NULL: none */
	char *kept;	   /* (nullable): the name of a VM that stays */
	/* This is the child that is forked for the VM: nothing of the above is there, and nothing
	 * is to be done but to end with this status. */
	gboolean child;
	int child_status;
};
void hvr_trial_report_clear(HvrTrialReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrTrialReport, hvr_trial_report_clear)
