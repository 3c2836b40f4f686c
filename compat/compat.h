/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Names that the sources use and that are newer than the oldest libraries they are built with:
 * GLib 2.68 and glibc 2.34, see meson.build. Each does what the newer library's does, and goes
 * when the floor has passed it.
 *
 * Ours are used everywhere, also where the library has its own: so that one thing is built, and
 * tested, on all systems. GLIB_VERSION_MAX_ALLOWED makes any other name that is too new an error.
 */
#include <glib.h>
#include <sys/wait.h>

/* As g_steal_fd(), GLib 2.70. @fd is -1 afterwards; errno stays. Returns: what it was */
static inline int hvr_compat_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}
#undef g_steal_fd
#define g_steal_fd(fd) hvr_compat_steal_fd(fd)

/* GLib 2.70 gave g_spawn_check_exit_status() this better name, and calls it itself. */
#undef g_spawn_check_wait_status
#define g_spawn_check_wait_status(status, error) g_spawn_check_exit_status(status, error)

/* waitid(2) by pidfd: glibc has the name since 2.36, the kernel the number since 5.4
 * (include/uapi/linux/wait.h). An enumerator, so that the preprocessor cannot ask for it. */
#undef P_PIDFD
#define P_PIDFD ((idtype_t)3)
