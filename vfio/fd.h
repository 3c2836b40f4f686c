/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "compat/compat.h"

/* A descriptor that closes itself: g_auto(HvrFd) fd = -1; hand it on with g_steal_fd(). */
typedef int HvrFd;
void hvr_fd_close(HvrFd fd);
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(HvrFd, hvr_fd_close, -1)

/**
 * hvr_fd_path - an absolute path that leads to what @fd is open on, O_PATH included.
 * For libraries that know paths only; it ends with the descriptor, and with this process.
 * @rest: (nullable): appended below it
 * Returns: (transfer full)
 */
char *hvr_fd_path(int fd, const char *rest) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_open_beneath - open(2) of @path, which cannot lead out of @dirfd.
 * @flags: O_CLOEXEC is added
 * Links are followed as long as they stay below; O_NOFOLLOW for the last component as ever.
 * Returns: a descriptor that the caller closes, or -1 with errno set; EXDEV: @path leads out
 */
int hvr_open_beneath(int dirfd, const char *path, int flags) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_fd_read_all - until @buffer is full or the file ends; a signal does not end it.
 * Returns: how many bytes, or -1 with errno set (EAGAIN where nothing is there yet)
 */
gssize hvr_fd_read_all(int fd, void *buffer, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_fd_write_all - all of it, however long that takes: a descriptor that blocks nobody is waited
 * for, and a signal ends nothing.
 * Returns: FALSE with errno set; some of it may have been written
 */
gboolean hvr_fd_write_all(int fd, const void *bytes, gsize length) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_fd_readable_before - wait until there is something to read; a signal does not end it.
 * @deadline_us: of g_get_monotonic_time(), microseconds; in the past, it is only looked
 * Returns: FALSE at the deadline, and where @fd cannot be waited for
 */
gboolean hvr_fd_readable_before(int fd, gint64 deadline_us);
