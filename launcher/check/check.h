/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * `check`: is this host ready, for a profile or for any of its accelerators? Nothing is changed, no
 * folder is made, no VFIO device is opened: opening and closing one resets it.
 */

typedef enum {
	HVR_CHECK_PASS,
	HVR_CHECK_WARN, /* works, but not as one would wish */
	HVR_CHECK_FAIL, /* a run would fail */
	/* cannot be told, and a run may fail for it: a host that has one is never "ready". What no
	 * run depends on is a WARN */
	HVR_CHECK_UNKNOWN,
} HvrCheckStatus;

/* One line. */
typedef struct {
	const char *id; /* "card-group": what was asked. Static */
	HvrCheckStatus status;
	char *subject; /* "host", "0000:02:00.0", "device 'npu'" */
	char *seen;
	char *fix; /* one thing to do; NULL where status is PASS */
} HvrCheckResult;

/**
 * hvr_check_run - ask everything.
 * @profile: (nullable): NULL judges every accelerator of this host; as it was when this returns
 * Returns: (transfer full): array of HvrCheckResult
 */
GPtrArray *hvr_check_run(HvrContext *context, HvrProfile *profile,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_check_card - ask all that is about one card, and nothing else: may it be given to a job?
 * @word: as hvr_card_of_word(). One that is not there is FAIL.
 * Errors: HVR_LAUNCH_ERROR_USAGE: it is no card's
 */
GPtrArray *hvr_check_card(HvrContext *context, const char *word,
			  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An empty array of HvrCheckResult, which it owns. */
GPtrArray *hvr_check_results_new(void) G_GNUC_WARN_UNUSED_RESULT;

/* 0: ready. 1: not ready, something failed. 2: cannot tell. */
int hvr_check_exit_status(const GPtrArray *results);

/* "PASS", "WARN", "FAIL", "UNKNOWN". */
const char *hvr_check_status_name(HvrCheckStatus status);

/* How people are told. */
typedef struct {
	gboolean colour;
	gboolean quiet; /* only what is not PASS, and the verdict */
	guint width;	/* what is seen is broken into lines of so many columns; 0: it is not */
} HvrCheckStyle;

/* For people: a line each, the fix on a second one, the worst last; and the verdict, which names
 * what it rests on. Pure. [transfer full] */
char *hvr_check_to_text(const GPtrArray *results,
			const HvrCheckStyle *style) G_GNUC_WARN_UNUSED_RESULT;

/* {"ready": true|false|null, "checks": [{"id","status","subject","seen","fix"}]}, in the order in
 * which they were asked. Pure. [transfer full] */
JsonObject *hvr_check_to_json(const GPtrArray *results) G_GNUC_WARN_UNUSED_RESULT;
