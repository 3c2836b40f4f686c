/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/* Whose fault it is, for those who count tests. */
typedef enum {
	HVR_OUTCOME_PASSED,
	HVR_OUTCOME_FAILED,	    /* the test's own: its status, or it is not in the guest */
	HVR_OUTCOME_TIMED_OUT,	    /* the test's own: it was killed at its timeout */
	HVR_OUTCOME_GUEST_DIED,	    /* the VM ended while the test ran */
	HVR_OUTCOME_INFRASTRUCTURE, /* it could not be run or judged: host, card, QEMU, agent */
	HVR_OUTCOME_CANCELLED,	    /* by a signal */
} HvrOutcomeClass;

/* "passed", "timed-out" */
const char *hvr_outcome_class_name(HvrOutcomeClass class);

/**
 * HvrOutcome - what a test came to: all 0 is that it passed.
 */
typedef struct {
	HvrOutcomeClass class;
	int code;    /* the exit status */
	char *where; /* the step, as in the report: "start", "command"; NULL: passed */
	char *cause; /* one line; NULL: passed */
	char *hint;  /* NULL: there is none */
} HvrOutcome;
void hvr_outcome_clear(HvrOutcome *outcome);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrOutcome, hvr_outcome_clear)

/* The first step that was not passed decides: sets all, where @outcome has passed so far.
 * @message: as of a GError, perhaps with a hint behind a newline */
void hvr_outcome_decide(HvrOutcome *outcome, HvrOutcomeClass class, int code, const char *where,
			const char *message);

/* As JSON has it: the names of the struct's members. Pure. [transfer full] */
JsonObject *hvr_outcome_to_object(const HvrOutcome *outcome) G_GNUC_WARN_UNUSED_RESULT;
