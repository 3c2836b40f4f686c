/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* What a person writes (a profile, a script, a configuration) has no more than that. */
#define HVR_READ_MOST (1024 * 1024)

/**
 * hvr_read_whole - all that is in a file of somebody's, which hvr_open() has opened to be read: so
 * it is a regular file, and does not make anybody wait. Never more than HVR_READ_MOST bytes are
 * read, however it grows; and what somebody writes meanwhile is neither the old file nor the new
 * one, as far as its size and times tell.
 * @out_length: (nullable): NULL: it has to be text, without a NUL
 * Returns: (transfer full): with a NUL behind; or NULL, with @out_problem: why, as a person reads
 * it, for behind the path
 */
char *hvr_read_whole(int fd, gsize *out_length, const char **out_problem) G_GNUC_WARN_UNUSED_RESULT;
