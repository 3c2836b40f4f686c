/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * hvr_guest_input_fd - the standard input as that of a command in a guest, to be read while that
 * runs. A terminal is none: the command could not be talked to.
 * Returns: a descriptor, borrowed, or -1
 */
int hvr_guest_input_fd(void);

/**
 * hvr_guest_input_keep - the same, read to its end before anything else is done. A file stays where
 * it is; what is none is kept in memory.
 * @out_fd: owned by the caller; -1: there is none
 * Errors: HVR_LAUNCH_ERROR_KERNEL: it cannot be read or kept; _BUSY: interrupted
 */
gboolean hvr_guest_input_keep(int *out_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_guest_input_read - all of it at once, for an agent that takes it before the command starts,
 * so it is bounded: HVR_AGENT_INPUT_MAX_BYTES.
 * @fd: -1: none
 * Returns: (transfer full)
 * Errors: as hvr_guest_input_keep(), and HVR_LAUNCH_ERROR_UNAVAILABLE: there is more
 */
GByteArray *hvr_guest_input_read(int fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
