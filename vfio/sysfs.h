/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* Reading below a directory descriptor. No path leaves it: openat2(2) with RESOLVE_BENEATH. */

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
 * hvr_sysfs_read - the whole of an attribute, at most 4 KiB, byte for byte.
 * Returns: (transfer full): NUL-terminated; NULL with G_IO_ERROR (NOT_FOUND when there is none,
 * INVALID_DATA when it is longer)
 */
char *hvr_sysfs_read(int dirfd, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same without its trailing newline, or NULL when it cannot be read for any reason. */
char *hvr_sysfs_read_line(int dirfd, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_sysfs_read_number - an attribute that is one number and nothing else.
 * @base: 10, or 16 with or without a leading "0x"
 * Returns: FALSE, with @out_value untouched, when it is not there or not a number.
 */
gboolean hvr_sysfs_read_number(int dirfd, const char *path, int base,
			       guint64 *out_value) G_GNUC_WARN_UNUSED_RESULT;

/* The last component of where a link leads ("vfio-pci" for .../driver), or NULL. */
char *hvr_sysfs_link_name(int dirfd, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/* The names in a folder, sorted, without "." and ".."; an empty array when it cannot be read. */
GPtrArray *hvr_sysfs_list(int dirfd, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/* Is there something at @path? */
gboolean hvr_sysfs_exists(int dirfd, const char *path);
