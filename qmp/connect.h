/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * hvr_qmp_connect - connect to one of the Unix sockets that QEMU serves.
 * @dirfd: folder that @name is relative to (the path may be longer than sun_path allows, so the
 *         connection is made through /proc/self/fd); AT_FDCWD is the current folder
 * @name: the socket's name in that folder
 *
 * Does not wait. QEMU serves one client of a socket at a time: the next one is let in, and hears
 * nothing until the first has left.
 * Returns: a descriptor, non-blocking and close-on-exec, or -1.
 *
 * Errors: G_IO_ERROR_NOT_FOUND (no such socket), G_IO_ERROR_CONNECTION_REFUSED (a socket that
 * nobody listens on), G_IO_ERROR_WOULD_BLOCK (its queue is full), G_IO_ERROR_FILENAME_TOO_LONG,
 * other G_IO_ERROR for what the kernel said.
 */
int hvr_qmp_connect(int dirfd, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
