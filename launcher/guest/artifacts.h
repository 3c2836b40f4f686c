/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* What is kept of a test beside its reports. */
typedef enum {
	HVR_ARTIFACT_SERIAL,   /* what the guest's serial port said; its begin and end are kept */
	HVR_ARTIFACT_MESSAGES, /* what we and QEMU said; likewise */
	HVR_ARTIFACT_EVENTS,
	HVR_ARTIFACT_RESULT,
	HVR_ARTIFACT_JUNIT,
	HVR_ARTIFACT_STDOUT,
	HVR_ARTIFACT_STDERR,
	HVR_ARTIFACT_JOURNAL, /* of the guest */
	HVR_ARTIFACTS,
} HvrArtifact;

/**
 * HvrArtifacts - the files of `test --artifacts`, open from before anything else is done. The first
 * two are there in any case, in memory where nobody asked, since reports have their end.
 */
typedef struct {
	char *folder; /* NULL: nobody asked */
	int fds[HVR_ARTIFACTS];
} HvrArtifacts;

/* clang-format off */
#define HVR_ARTIFACTS_NONE { .fds = { -1, -1, -1, -1, -1, -1, -1, -1 } }
/* clang-format on */

/* Makes @folder as the caller, where it is missing. Errors: as those of hvr_artifacts_open() */
gboolean hvr_artifacts_make(const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_artifacts_open - as the caller, in @folder, which is made where it is missing. Files of an
 * earlier test are emptied.
 * @folder: (nullable)
 * Errors: HVR_LAUNCH_ERROR_USAGE, _PERMISSION or _KERNEL
 */
gboolean hvr_artifacts_open(HvrArtifacts *artifacts, const char *folder,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_artifacts_close(HvrArtifacts *artifacts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrArtifacts, hvr_artifacts_close)

/* Appends to one of them, where there is one. */
void hvr_artifacts_add(const HvrArtifacts *artifacts, HvrArtifact which, const void *bytes,
		       gsize length);

/* Copies a file of the caller's into the folder, under its own name behind "fetched-". What cannot
 * be copied is told. Nothing happens where there is no folder. */
void hvr_artifacts_copy(const HvrArtifacts *artifacts, const char *path);

/* The end of what the port and we said, each below a heading; empty where there is nothing.
 * [transfer full] */
GByteArray *hvr_artifacts_tail(const HvrArtifacts *artifacts) G_GNUC_WARN_UNUSED_RESULT;
