/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* Reading below a directory descriptor. No path leaves it: openat2(2) with RESOLVE_BENEATH. */

/* A descriptor that closes itself: g_auto(HvrFd) fd = -1; hand it on with g_steal_fd(). */
typedef int HvrFd;
void hvr_fd_close(HvrFd fd);
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(HvrFd, hvr_fd_close, -1)

/**
 * hvr_open_beneath - open(2) of @path, which cannot lead out of @dirfd.
 * @flags: O_CLOEXEC is added
 * Returns: a descriptor that the caller closes, or -1 with errno set
 */
int hvr_open_beneath(int dirfd, const char *path, int flags) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_sysfs_read - the whole of an attribute, at most 4 KiB, byte for byte.
 * Returns: (transfer full): NUL-terminated; NULL with G_IO_ERROR (NOT_FOUND when there is none)
 */
char *hvr_sysfs_read(int dirfd, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same without its trailing newline, or NULL when it cannot be read for any reason. */
char *hvr_sysfs_read_line(int dirfd, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/* A number, "0x..." or decimal by @base; FALSE, @out_value untouched, when it is not there. */
gboolean hvr_sysfs_read_number(int dirfd, const char *path, int base, guint64 *out_value);

/* The last component of where a link leads ("vfio-pci" for .../driver), or NULL. */
char *hvr_sysfs_link_name(int dirfd, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/* The names in a folder, sorted, without "." and ".."; an empty array when it cannot be read. */
GPtrArray *hvr_sysfs_list(int dirfd, const char *path) G_GNUC_WARN_UNUSED_RESULT;

/* Is there something at @path? */
gboolean hvr_sysfs_exists(int dirfd, const char *path);
