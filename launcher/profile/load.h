/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/overrides.h"
#include "launcher/profile/profile.h"

/* Where names of profiles are looked up, in this order. */
typedef struct {
	/* The current folder counts only where nobody could have put a profile there but root and
	 * the caller (HVR_OPEN_READ_GUARDED): for a process with privileges. Else it always does.
	 */
	gboolean guarded;
	/* (nullable): $XDG_CONFIG_HOME or its default, with hailo-vm-run/ below it; NULL in a
	 * privileged process that does not trust its environment */
	const char *config_home;
	const char *system_dir; /* "/etc/hailo-vm-run" */
	/* (nullable): NULL-terminated: the word may as well have been meant as one of these */
	const char *const *commands;
} HvrProfilePlaces;

/* A file, and how far it is trusted. */
typedef struct {
	char *path;
	gboolean guarded; /* it was found in a guarded folder: what it includes is to be the same */
} HvrProfileFile;
void hvr_profile_file_clear(HvrProfileFile *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrProfileFile, hvr_profile_file_clear)

/**
 * hvr_profile_find - the file that a PROFILE word on the command line means.
 * @word: a path when it has a '/' or ends in ".ini"; else a name, looked up as NAME.ini
 * @out_file: to be cleared
 * @out_left: (transfer full): why a file of that name in the current folder is not the one that was
 *	      found, a message; or NULL
 *
 * Errors: HVR_LAUNCH_ERROR_PROFILE, naming every place that was looked at, and the name that was
 * probably meant.
 */
gboolean hvr_profile_find(const char *word, const HvrProfilePlaces *places,
			  HvrProfileFile *out_file, char **out_left,
			  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_profile_load - read and check a profile, and the files that it includes.
 * @file: a regular file of at most 1 MiB (fstat-checked on the descriptor that is then read),
 * opened as the caller (hvr_user_caller()), as is what it includes: HVR_LAUNCH_ERROR_PERMISSION
 * where that is not allowed, and nothing of what is in it is told. Where it is guarded, it and what
 * it includes are still to be so, or it is HVR_LAUNCH_ERROR_PERMISSION
 * @changes: (nullable): of the command line
 *
 * The first mistake ends it: HVR_LAUNCH_ERROR_PROFILE, "FILE:LINE: [section] key: what is wrong"
 * with the nearest known name as the hint. For a word of @changes the place is that word.
 */
HvrProfile *hvr_profile_load(const HvrProfileFile *file, const HvrProfileChanges *changes,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
