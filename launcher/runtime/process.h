/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "vfio/host.h"

/**
 * HvrProcess - one process for all time: pids are reused, a pid with its start time is not.
 */
typedef struct {
	pid_t pid;	    /* 0: no process */
	guint64 start_time; /* clock ticks since boot, field 22 of /proc/PID/stat */
} HvrProcess;

/* The process @pid as it is now; {0, 0} when there is none. */
HvrProcess hvr_process_of(const HvrHost *host, pid_t pid);

/* The real uid that it has (/proc/PID/status: whoever it is, also where nobody may look into it).
 * Returns: FALSE: there is no such process */
gboolean hvr_process_uid(const HvrHost *host, pid_t pid, uid_t *out_uid);

/* Is that very process still there? A zombie is not. */
gboolean hvr_process_alive(const HvrHost *host, const HvrProcess *process);

/* Is it stopped, so that it answers nobody: by a signal (SIGSTOP, Ctrl-Z), until SIGCONT, or by who
 * traces it, as long as they like? */
gboolean hvr_process_stopped(const HvrHost *host, const HvrProcess *process);

/**
 * hvr_process_open - a pidfd of that very process: one that got its pid later is not opened.
 * Returns: a descriptor that the caller closes; -1: it is not there any more, or errno
 */
int hvr_process_open(const HvrHost *host, const HvrProcess *process) G_GNUC_WARN_UNUSED_RESULT;

/* Sends a signal by a pidfd. Returns: FALSE with errno; ESRCH: it has ended */
gboolean hvr_process_signal(int pidfd, int signal_number);
