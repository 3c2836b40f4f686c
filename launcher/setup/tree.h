/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Files of the system that is set up, below a descriptor of its root folder. Paths are relative to
 * it, no link leads out of it, and the last component is never a link. */

/* Owner and permissions of a file. */
typedef struct {
	uid_t uid;
	gid_t gid;
	mode_t mode;
} HvrSetupOwner;
/* Of a file that is made anew: this process's. */
HvrSetupOwner hvr_setup_owner_self(mode_t mode);

/**
 * hvr_setup_tree_read - a whole text file.
 * @out_text: (transfer full): NULL when there is none
 * @out_owner: (nullable)
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE for what is no plain text file, links above all, and
 * for one that has a second name (hard link)
 */
gboolean hvr_setup_tree_read(int target, const char *path, char **out_text,
			     HvrSetupOwner *out_owner, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for what is only looked at: links are followed below the target, and what is not there,
 * too large or no plain text file is NULL. (transfer full) */
char *hvr_setup_tree_peek(int target, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_setup_tree_write - make or replace a file in one step: a crash leaves the old or the new one.
 * Its folder must be there.
 */
gboolean hvr_setup_tree_write(int target, const char *path, const char *text,
			      const HvrSetupOwner *owner, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Nothing happens when it is gone already. */
gboolean hvr_setup_tree_remove(int target, const char *path,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The folders on the way to @path that are not there, outermost first. Array of char *. */
GPtrArray *hvr_setup_tree_missing(int target, const char *path) G_GNUC_WARN_UNUSED_RESULT;
/* Mode 0755. Nothing happens when it is there already. */
gboolean hvr_setup_tree_make_folder(int target, const char *path,
				    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Only if it is empty; else it stays, and that is no error. */
void hvr_setup_tree_remove_folder(int target, const char *path);
