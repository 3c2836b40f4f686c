/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"

/**
 * HvrAsUserStep - one of the things that are done as a user. What it changes in memory may never be
 * seen here; what it leaves open is, as @out_fd.
 * @i: the number of the step, from 0
 * @out_fd: -1; may be set to a descriptor, which goes to the caller
 * Returns: 0, or the errno
 */
typedef int (*HvrAsUserStep)(gpointer data, guint i, int *out_fd);

/* What a step came to. */
typedef struct {
	int fd;	     /* the caller closes it; -1: there is none */
	int problem; /* 0, or the errno */
} HvrAsUserResult;

typedef struct {
	const HvrUser *user;
	HvrAsUserStep step;
	gpointer data;
	int keep; /* the one descriptor that the steps work with; -1: none */
} HvrAsUser;

/**
 * hvr_as_user - do @n steps as a user, in order; one that fails keeps none from being done.
 * @results: of @n
 *
 * Where this process is root and the user is not, one child does all of them: it has become that
 * user for good, with the user's groups and no capabilities, holds no descriptor of ours but
 * @keep and 0, 1 and 2, and passes on what it opened (SCM_RIGHTS). Nobody but root can trace it:
 * who gives up root's ids is not dumpable (kernel/cred.c). Where nothing comes for half a minute it
 * is killed: ETIMEDOUT. Else they are done right here.
 */
void hvr_as_user(const HvrAsUser *how, HvrAsUserResult *results, guint n);
