/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* What a step of a test came to. */
typedef enum {
	HVR_JUNIT_PASSED,
	HVR_JUNIT_FAILED, /* what was tested did not hold */
	HVR_JUNIT_ERROR,  /* it could not be tested */
	HVR_JUNIT_SKIPPED,
} HvrJunitVerdict;

typedef struct {
	char *name;
	HvrJunitVerdict verdict;
	gint64 took_us;
	char *message;	       /* NULL where passed */
	GByteArray *out, *err; /* (nullable): what a command said; any bytes */
} HvrJunitCase;
void hvr_junit_case_free(HvrJunitCase *one);

/**
 * hvr_junit_format - the XML that CI systems read. Pure.
 * @suite: its name; @cases: array of HvrJunitCase
 * Bytes that XML cannot hold become U+FFFD; output is cut at 1 MiB.
 * Returns: (transfer full)
 */
char *hvr_junit_format(const char *suite, const GPtrArray *cases) G_GNUC_WARN_UNUSED_RESULT;
