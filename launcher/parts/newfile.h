/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"

/**
 * HvrNewFile - a file that is made for the VM's user, and that has its name only when it is whole:
 * whatever ends the launcher meanwhile, the next start finds none and makes it again.
 */
typedef struct {
	const HvrUser *user; /* borrowed */
	int folder;
	int fd; /* O_RDWR, empty at first */
	char *name;
	char *temporary;
	gboolean made;
} HvrNewFile;

#define HVR_NEW_FILE_INIT                                                                          \
	{                                                                                          \
		.folder = -1, .fd = -1                                                             \
	}

/**
 * hvr_new_file_begin - start a file at @path, mode 0600.
 * @user: whose it will be, and as whom it is made: it must be able to. Outlives @file
 * Follows no link at the last component. What is left of an earlier attempt is removed.
 * Errors: HVR_LAUNCH_ERROR_PROFILE, or _PERMISSION
 */
gboolean hvr_new_file_begin(HvrNewFile *file, const char *path, const HvrUser *user,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_new_file_finish - give it its name; a file that has it by now is left alone, which is an
 * error.
 * @made: (nullable): where it is noted, for hvr_new_files_remove()
 */
gboolean hvr_new_file_finish(HvrNewFile *file, GPtrArray *made,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes what was not finished. */
void hvr_new_file_clear(HvrNewFile *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrNewFile, hvr_new_file_clear)

/* Where files that were finished are noted, as long as their user lives. [transfer full] */
GPtrArray *hvr_new_files_noted(void) G_GNUC_WARN_UNUSED_RESULT;

/* Removes those that still are what was made, as their user, and forgets all of them. What cannot
 * be removed stays. */
void hvr_new_files_remove(GPtrArray *made);

/* Is there nothing at all at @path, not even a dangling link? */
gboolean hvr_new_file_is_missing(const char *path);

/**
 * hvr_new_file_check - could @path be made as @user? Changes nothing.
 * @what: what it is for, such as "[disk root] file"
 * Errors: as hvr_new_file_begin()
 */
gboolean hvr_new_file_check(const char *what, const char *path, const HvrUser *user,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Has a file that is made at @path as @user a way around the host's cache (O_DIRECT)? One without a
 * name is made for a moment. TRUE, too, where that cannot be told. */
gboolean hvr_new_file_takes_direct(const char *path, const HvrUser *user);
