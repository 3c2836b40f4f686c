/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

/**
 * HvrLockWatch - hears when any lock may have become free: by inotify of whoever took it, by a
 * pidfd of a QEMU that alone keeps it.
 */
typedef struct HvrLockWatch HvrLockWatch;

/* From here on nothing is missed. @host: borrowed. Errors: G_IO_ERROR */
HvrLockWatch *hvr_lock_watch_new(const HvrHost *host, int runtime,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_lock_watch_free(HvrLockWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrLockWatch, hvr_lock_watch_free)

/* Blocks until one of @names (of char *) may have become free; FALSE at @deadline_us (monotonic; 0:
 * none), or when somebody asks us to stop (see hvr_interrupt_check()). What is not among them wakes
 * nobody: whoever tries for two locks and gets one gives that one up again, and would wake itself
 * for ever. */
gboolean hvr_lock_watch_wait(HvrLockWatch *watch, const GPtrArray *names, gint64 deadline_us);
