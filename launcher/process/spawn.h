/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sched.h>
#include <sys/types.h>

#include "launcher/process/privileges.h"

/**
 * HvrSpawn - how QEMU, and each program that helps it, is started.
 */
typedef struct {
	const char *path; /* absolute */
	char *const *argv;
	HvrIdentity identity;
	guint64 memlock_bytes; /* RLIMIT_MEMLOCK, soft and hard; 0: leave it */
	const cpu_set_t *cpus; /* the CPUs that it may run on; NULL: as we do */
	const int *fds;	       /* these stay open, under their own numbers, */
	guint n_fds;	       /* beside 0, 1 and 2; nothing else does */
	int stdout_fd;	       /* becomes descriptor 1; 0: /dev/null; -1: our own */
	int stderr_fd;	       /* becomes descriptor 2; -1: our own */
	int stdin_fd;	       /* becomes descriptor 0; 0: /dev/null; -1: our own */
	gboolean with_parent;  /* it is killed when this process, or what it becomes, ends */
	/* The reading end of a pipe, one of @fds: it gets SIGTERM as soon as nobody has the other
	 * end any more, whoever had it and however they ended (pipe_release() in Linux's fs/pipe.c,
	 * for the owner that fcntl(2) F_SETOWN names). 0: none */
	int leash;
	/* In the process that becomes the program, with all rights yet. FALSE with errno: it must
	 * not become it. NULL: nothing */
	gboolean (*begin)(gconstpointer data);
	gconstpointer begin_data;
} HvrSpawn;

/**
 * hvr_spawn - start the program as somebody without privileges.
 *
 * The child has the identity's ids and groups, no capability in any set, NO_NEW_PRIVS, default
 * signal handling, an empty signal mask, the memory lock limit, as many open files as its hard
 * limit allows, and of our environment what hvr_environment_for_programs() says. It has no terminal
 * of ours to read from or to push keys into: a session of its own, without a terminal, and what it
 * keeps of our output is open for writing only where that is a terminal.
 * @out_pidfd: the caller closes it
 * Returns: its pid, or -1. A child that cannot be made so, or whose exec fails, is reported here
 * and never runs.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE or _PERMISSION, naming the stage that failed.
 */
pid_t hvr_spawn(const HvrSpawn *spawn, int *out_pidfd, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same without a child, for --exec: returns only when it failed. It stays in our session, where
 * Ctrl-C reaches it, but gives up the terminal of that (tty_ioctl(4), TIOCNOTTY). */
void hvr_spawn_replace(const HvrSpawn *spawn, GError **error);
