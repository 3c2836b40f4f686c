/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"

/**
 * HvrBlocked - where on the way to a file somebody is stopped.
 */
typedef struct {
	char *text;   /* "there is no '/srv/vms'", "folder '/home/ann' is closed to them", ...;
			 NULL: nowhere, so it is the file itself */
	char *folder; /* the folder that is closed, or NULL */
} HvrBlocked;

/**
 * hvr_blocked_find - walk the way to @path as @user would, in a child where this process is not
 * that user. Changes nothing; what is found is as old as the walk.
 */
void hvr_blocked_find(HvrBlocked *blocked, const HvrUser *user, const char *path);
void hvr_blocked_clear(HvrBlocked *blocked);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrBlocked, hvr_blocked_clear)

/* A file that could not be opened. */
typedef struct {
	int code;	  /* HVR_LAUNCH_ERROR_… */
	const char *what; /* names it: "[boot] kernel" */
	const char *verb; /* "read" or "write" */
	const char *path;
	int problem;		  /* the errno */
	const char *missing_hint; /* what to do when there is none; NULL: correct the path */
} HvrBlockedFile;

/**
 * hvr_blocked_fail - "WHAT: user NAME cannot VERB 'PATH': why", with where the way ends, and a hint
 * that removes the cause.
 */
void hvr_blocked_fail(GError **error, const HvrUser *user, const HvrBlockedFile *file);
