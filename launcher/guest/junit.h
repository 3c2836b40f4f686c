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

/* Nothing is owned. */
typedef struct {
	const char *name;
	const GPtrArray *cases;	 /* of HvrJunitCase */
	const char **properties; /* (nullable): name, value, name, value, NULL */
	const GByteArray *err;	 /* (nullable): what is of no case alone; any bytes */
} HvrJunitSuite;

/**
 * hvr_junit_format - the XML that CI systems read. Pure.
 * @all: (nullable): the name of what has all of @suites; NULL: there is one, and it is the root
 * @n: of @suites
 * What XML cannot hold, and what a terminal would obey, is shown as launcher/report/text.h has it,
 * or as U+FFFD. Of an output, half a MiB of the begin and of the end stay, and between them how
 * much is left out.
 * Returns: (transfer full)
 */
char *hvr_junit_format(const char *all, const HvrJunitSuite *suites,
		       guint n) G_GNUC_WARN_UNUSED_RESULT;
