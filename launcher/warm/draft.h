/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"
#include "launcher/warm/store.h"

/**
 * HvrWarmDraft - a state that is being saved. It has its name when it is whole and on the disk;
 * whatever ends us before, the next one who opens the store removes it.
 */
typedef struct {
	const HvrWarmStore *store; /* borrowed, as @user */
	const HvrUser *user;
	int folder; /* held by flock(2); -1: there is none */
	char *name;
	char *path; /* of the folder */
} HvrWarmDraft;

#define HVR_WARM_DRAFT_NONE                                                                        \
	{                                                                                          \
		.folder = -1                                                                       \
	}

/**
 * hvr_warm_draft_begin - make its folder, and room: others that were not used for longest go.
 * @bytes: that it may take
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: there is no room, or it cannot be made
 */
gboolean hvr_warm_draft_begin(HvrWarmDraft *draft, const HvrWarmStore *store, const HvrUser *user,
			      guint64 bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A new file in it, empty, the VM's user's, 0600. Returns: O_RDWR, the caller closes it; or -1 with
 * HVR_LAUNCH_ERROR_UNAVAILABLE */
int hvr_warm_draft_file(const HvrWarmDraft *draft, const char *name,
			GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What becomes of it. */
typedef struct {
	const char *key;   /* of hvr_warm_key() */
	const char *about; /* of hvr_warm_describe() */
	const char *vm, *name, *profile;
	const GPtrArray *macs; /* of char *; see manifest.h, */
	gboolean hears;	       /* ... as this */
} HvrWarmName;

/**
 * hvr_warm_draft_finish - all of it is written: fsync it, and give it its name. A state that has
 * the same key is as good, and stays in its place.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE
 */
gboolean hvr_warm_draft_finish(HvrWarmDraft *draft, const HvrWarmName *name,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes what has not been finished. */
void hvr_warm_draft_clear(HvrWarmDraft *draft);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrWarmDraft, hvr_warm_draft_clear)
