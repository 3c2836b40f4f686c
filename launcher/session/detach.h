/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "launcher/runtime/context.h"

/**
 * HvrDetached - a supervisor in a process of its own, as its parent has it.
 */
typedef struct {
	pid_t pid;
	int ready_fd;	    /* a byte comes when it is ready; its end, when it failed */
	gint64 deadline_us; /* until when it may get ready (monotonic); 0: for ever */
	gboolean late;	    /* that is over */
} HvrDetached;

/**
 * hvr_detach_fork - fork; the child has a session of its own and nothing of the terminal but where
 * it complains, until it is ready.
 * @with_parent: the child gets SIGTERM when the parent ends, whatever ends it
 * @out_ready_fd: in the child: HvrRunOptions.ready_fd
 * Returns: 1 in the parent, 0 in the child, -1 with @error.
 */
int hvr_detach_fork(const HvrContext *context, gboolean with_parent, HvrDetached *out_child,
		    int *out_ready_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_detach_wait_ready - wait for the byte.
 * Signals that come meanwhile are passed on to the child, whose end is waited for all the same.
 * Returns: FALSE when it ended before it was ready, with its exit status; or when it is late: then
 * it goes on.
 */
gboolean hvr_detach_wait_ready(HvrDetached *child, int *out_status);

/* Waits for the child's end. Returns: its exit status; 128 + N when signal N ended it. */
int hvr_detach_wait(const HvrDetached *child);
