/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/report/events.h"

/* Where a test's reports go. They are opened before anything else is done, and say something true
 * from then on, whoever ends in the midst of it. */

typedef struct {
	HvrEvents *events; /* (nullable): nobody asked */
	/* -1: nobody asked. The second ones are those of --artifacts. */
	int junit[2], result[2];
} HvrReportFiles;

/* What is in them. */
typedef struct {
	char *result; /* one line of JSON */
	char *junit;
} HvrReportTexts;
void hvr_report_texts_clear(HvrReportTexts *texts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrReportTexts, hvr_report_texts_clear)

/* None yet. */
#define HVR_REPORT_FILES_NONE                                                                      \
	{                                                                                          \
		.junit = { -1, -1 }, .result = { -1, -1 }                                          \
	}

/**
 * hvr_report_files_open - as the caller, and emptied; events are not opened here.
 * @junit, @result: (nullable): nobody asked
 * Errors: HVR_LAUNCH_ERROR_USAGE, or _PERMISSION
 */
gboolean hvr_report_files_open(HvrReportFiles *files, const char *junit, const char *result,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_report_files_close(HvrReportFiles *files);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrReportFiles, hvr_report_files_close)

/* Puts @texts in the place of what is in the files. FALSE: one could not be written, which was
 * told. */
gboolean hvr_report_files_write(const HvrReportFiles *files, const HvrReportTexts *texts);

/* The same for the last time: they are on the disk then, and the event "result" is told. */
gboolean hvr_report_files_end(const HvrReportFiles *files, const HvrReportTexts *texts);
