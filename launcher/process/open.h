/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"

/*
 * Every path that a profile or a command line names is opened here, as the user whom it is for:
 * what QEMU uses as the VM's user (hvr_user_find()), profiles, reports and what comes out of a
 * guest as the caller (hvr_user_caller()). What only root may open is thereby nobody's to name.
 */

/* What a path shall be, and be used for. Nothing waits: a FIFO is opened without its other end. */
typedef enum {
	/* A regular file, to be read. */
	HVR_OPEN_READ,
	/* The same, which nobody can have written, or put there, but root and the user: it and its
	 * folder belong to one of the two, and neither group nor others may write to them. The file
	 * is no link. Else EPERM. */
	HVR_OPEN_READ_GUARDED,
	/* A regular file, no link, to be written from its beginning: made (0600), or
	 * emptied when all of that is true of what was opened. */
	HVR_OPEN_REPLACE,
	/* The same where it is there already, and what is in it stays. */
	HVR_OPEN_WRITE,
	/* To be written at its end: a regular file, made (0600) where missing, or a FIFO that
	 * somebody reads, or a character device; no link. */
	HVR_OPEN_APPEND,
} HvrOpenHow;

typedef struct {
	const char *path; /* NULL: nothing is asked, nothing is opened */
	HvrOpenHow how;
	int fd;	     /* what came of it: the caller closes it; -1 */
	int problem; /* 0, or the errno: EINVAL: no such kind of file */
} HvrOpen;

/**
 * hvr_open - open all of them as @user, in one child where this process must become that user, and
 * without one where it is that user. Descriptors are O_CLOEXEC and blocking, those of
 * HVR_OPEN_APPEND O_NONBLOCK.
 * Returns: whether all that was asked for is open
 */
gboolean hvr_open(const HvrUser *user, HvrOpen *opens, guint n);

/* Would HVR_OPEN_REPLACE of @open->path succeed now? Makes and empties nothing. Sets
 * @open->problem, of which hvr_open_fail() tells. */
gboolean hvr_open_could_replace(const HvrUser *user, HvrOpen *open);

/* Why @open failed, as a person reads it. */
const char *hvr_open_problem(const HvrOpen *open);

/**
 * hvr_open_fail - set HVR_LAUNCH_ERROR_PERMISSION or @code: "WHAT: user NAME cannot read 'PATH':
 * why (where on the way)", or as hvr_blocked_is_missing() does, and what to do.
 * @what: what names the path: "[serial] file", "--events"
 */
void hvr_open_fail(GError **error, int code, const char *what, const HvrUser *user,
		   const HvrOpen *open);
