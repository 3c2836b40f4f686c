/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrLaunchError - why the program itself stops. Each has an exit status of its own, see
 * hvr_exit_status().
 */
typedef enum {
	HVR_LAUNCH_ERROR_USAGE,	      /* 64: the command line is wrong */
	HVR_LAUNCH_ERROR_UNAVAILABLE, /* 69: this host or QEMU cannot */
	HVR_LAUNCH_ERROR_INTERNAL,    /* 70: a bug */
	HVR_LAUNCH_ERROR_KERNEL,      /* 71: the kernel refused a step */
	HVR_LAUNCH_ERROR_BUSY,	      /* 75: in use or too late; try again */
	HVR_LAUNCH_ERROR_QEMU,	      /* 76: QEMU answered with an error */
	HVR_LAUNCH_ERROR_PERMISSION,  /* 77: the caller may not */
	HVR_LAUNCH_ERROR_PROFILE,     /* 78: the profile is wrong */
} HvrLaunchError;

#define HVR_LAUNCH_ERROR (hvr_launch_error_quark())
GQuark hvr_launch_error_quark(void);

/* What another hailo-vm-run process said: the code is its exit status. */
#define HVR_STATUS_ERROR (hvr_status_error_quark())
GQuark hvr_status_error_quark(void);

/* A command that a guest could not begin, through no fault of ours: the code is the exit status
 * that env(1), timeout(1) and docker have for it. */
#define HVR_COMMAND_ERROR (hvr_command_error_quark())
GQuark hvr_command_error_quark(void);
enum {
	HVR_COMMAND_ERROR_NOT_EXECUTABLE = 126,
	HVR_COMMAND_ERROR_NOT_FOUND = 127,
};

/* Of hvr_exit_status(), where an error's domain does not matter: what is no fault of the thing that
 * was tried. */
enum {
	HVR_EXIT_BUSY = 75,	  /* trying again may help */
	HVR_EXIT_PERMISSION = 77, /* the caller may not */
};

/* The statuses of `exec` and `test` that are not the guest command's own: as timeout(1), docker and
 * "git bisect run" have them. */
enum {
	HVR_EXIT_TIMED_OUT = 124,
	HVR_EXIT_NOT_JUDGED = 125, /* whatever is ours, from a usage error to a guest that died */
};

/* Of `check` and `verify`, whose status is an answer, 0 for yes and 1 for no: whatever keeps them
 * from asking, from a usage error on. As of grep(1) and diff(1). */
#define HVR_EXIT_CANNOT_TELL 2

/**
 * hvr_error_hint - append what the user can do about @error.
 *
 * A message is one line; behind a newline may stand one hint, which is printed on a line of its
 * own behind "hint: ". The first hint wins: whoever is nearest to the cause knows best. Nothing
 * happens when @error or *@error is NULL.
 */
void hvr_error_hint(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Goes on with the hint that is there, behind "; ". Without one nothing is done. */
void hvr_error_hint_also(GError **error, const char *text);

/* @error's message without its hint, and without "SUBJECT: " in front. [transfer full] */
char *hvr_error_line(const GError *error, const char *subject) G_GNUC_WARN_UNUSED_RESULT;

/* The exit status for an error of any domain: vfio/, qmp/, launcher/, GIO. Never 0. */
int hvr_exit_status(const GError *error);

/* The same for `exec` and `test`: 126 and 127 of HVR_COMMAND_ERROR, HVR_EXIT_NOT_JUDGED of all
 * others, so that no test is blamed for what is ours. */
int hvr_exit_status_of_command(const GError *error);

/**
 * hvr_exit_settle - the last resort of main(): nothing ends without a message, or with what no
 * status can say.
 * @status: what a command came to
 * @error: (inout): what it said. One without words gets some, and a failure without one becomes
 * HVR_LAUNCH_ERROR_INTERNAL
 * @ours: which status every error has; HVR_EXIT_NOT_JUDGED: as of hvr_exit_status_of_command();
 *   0: that of hvr_exit_status()
 * Returns: @status, or that of @error
 */
int hvr_exit_settle(int status, int ours, GError **error);
