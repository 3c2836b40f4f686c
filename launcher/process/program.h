/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/privileges.h"

/* Where virtiofsd is, and RHEL's QEMU: in nobody's PATH. */
#define HVR_LIBEXEC "/usr/libexec"

/**
 * hvr_program_find - where a program is: in PATH, else in HVR_LIBEXEC.
 * @privileged: the system's own folders take the place of PATH: a process with privileges does not
 * let PATH decide what it starts. An absolute @name is taken as it is. Returns: (transfer full):
 * its path, or NULL where it is not or cannot be executed.
 */
char *hvr_program_find(const char *name, gboolean privileged) G_GNUC_WARN_UNUSED_RESULT;

/* How a process ended, by its wait status: "ended with status 3", "was ended by signal 9". */
char *hvr_program_describe_end(int status) G_GNUC_WARN_UNUSED_RESULT;

/* A program that does one thing for a VM and ends: qemu-img, mformat. */
typedef struct {
	const char *path; /* absolute */
	const char *const *argv;
	HvrIdentity identity; /* who it runs as: the VM's user */
	const int *fds;	      /* what it inherits, under its own numbers */
	guint n_fds;
	int stdin_fd;  /* becomes descriptor 0; 0: /dev/null */
	int stdout_fd; /* becomes descriptor 1; 0: /dev/null */
	guint timeout_ms;
} HvrProgram;

/**
 * hvr_program_run - run it without privileges and wait for its end.
 * A program that is not done in time is killed with all that it has started, and so it is when a
 * signal ends the launcher.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE with the last line that it said; _BUSY: out of time, or
 * interrupted.
 */
gboolean hvr_program_run(const HvrProgram *program, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One more word of a command line, which @argv then owns. */
void hvr_program_add_word(GPtrArray *argv, const char *format, ...) G_GNUC_PRINTF(2, 3);
