/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"

/**
 * HvrBlocked - where on the way to a file somebody is stopped.
 */
typedef struct {
	char *text;    /* "there is no '/srv/vms'", "folder '/home/ann' is closed to them", ...;
			  NULL: nowhere, so it is the file itself */
	char *folder;  /* the folder that is closed, or NULL */
	char *missing; /* what is not there: the path, or a beginning of it; NULL: all is */
} HvrBlocked;

#define HVR_BLOCKED_CREATE "create" /* the verb for a file that need not be there */

/**
 * hvr_blocked_find - walk the way to @path as @user would, in a child where this process is not
 * that user. Changes nothing; what is found is as old as the walk.
 */
void hvr_blocked_find(HvrBlocked *blocked, const HvrUser *user, const char *path);
void hvr_blocked_clear(HvrBlocked *blocked);

/* The same as text, for behind a message: " (folder '/srv' is closed to this user)"; "": nowhere.
 * @verb: HVR_BLOCKED_CREATE: then it may be the folder that the user may not write to. */
char *hvr_blocked_where(const HvrUser *user, const char *path,
			const char *verb) G_GNUC_WARN_UNUSED_RESULT;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrBlocked, hvr_blocked_clear)

/* A file that could not be opened. */
typedef struct {
	int code;	  /* HVR_LAUNCH_ERROR_… */
	const char *what; /* names it: "[boot] kernel" */
	const char *verb; /* "read", "write" or HVR_BLOCKED_CREATE */
	const char *path;
	int problem;		  /* the errno */
	const char *missing_hint; /* what to do when there is none; NULL: correct the path */
} HvrBlockedFile;

/**
 * hvr_blocked_is_missing - is it no question of rights: is there no such file, or no such folder on
 * the way? Where @user is stopped before that, the caller is asked, who may see more. If so, this
 * sets file->code: "WHAT: 'PATH' does not exist", and the nearest name that is there and that the
 * caller can list, else what to do. A link to nowhere is there.
 * @user: who could not open it, as file->problem says
 */
gboolean hvr_blocked_is_missing(GError **error, const HvrUser *user, const HvrBlockedFile *file);

/**
 * hvr_blocked_fail - the same where it is missing, else "WHAT: user NAME cannot VERB 'PATH': why",
 * with where the way ends, and a hint that removes the cause.
 */
void hvr_blocked_fail(GError **error, const HvrUser *user, const HvrBlockedFile *file);
