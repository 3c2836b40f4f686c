/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/process.h"

/**
 * HvrLock - an exclusive flock(2) on locks/NAME: "group-14" for an IOMMU group, "vm-lab" for a VM,
 * "wait-..." for a place in the queue (queue.h).
 *
 * The lock belongs to the open file description, so it lives as long as any process that has the
 * descriptor: QEMU, which inherits it or is given it, keeps its groups locked even when the
 * supervisor is killed. The file says who holds it and is removed by the last one that gives it up
 * in order.
 *
 * Waiting is by inotify: whoever ends up closing the last writable descriptor of a lock file, even
 * by being killed, causes IN_CLOSE_WRITE, so the holder keeps a second, writable one. Tries use
 * read-only descriptors and wake nobody.
 */
typedef struct HvrLock HvrLock;

/* What a lock says of its holder. */
typedef struct {
	char *vm;	/* the VM's name; NULL: a command such as `prepare` */
	HvrProcess pid; /* who took it */
	gint64 since;	/* seconds since the epoch */
} HvrLockHolder;
void hvr_lock_holder_clear(HvrLockHolder *holder);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrLockHolder, hvr_lock_holder_clear)

char *hvr_lock_name_group(int group) G_GNUC_WARN_UNUSED_RESULT;
char *hvr_lock_name_vm(const char *vm) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_lock_try - take the lock if it is free; never waits.
 * @vm: (nullable): what the file will say
 * Errors: HVR_LAUNCH_ERROR_BUSY, naming the holder; G_IO_ERROR
 */
HvrLock *hvr_lock_try(const HvrHost *host, int runtime, const char *name, const char *vm,
		      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_lock_steal_from - share the lock that QEMU holds, for a command that acts in the place of a
 * supervisor that is gone: a duplicate of QEMU's own descriptor, by pidfd_getfd(2).
 * hvr_lock_release() of it unlocks it for QEMU too.
 * Errors: HVR_LAUNCH_ERROR_BUSY when @pid holds no such lock; G_IO_ERROR
 */
HvrLock *hvr_lock_steal_from(const HvrHost *host, int runtime, const char *name, pid_t pid,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Who holds it? FALSE when it is free. */
gboolean hvr_lock_holder(const HvrHost *host, int runtime, const char *name,
			 HvrLockHolder *out_holder);

/* (transfer none): the two descriptors that QEMU must have to keep the lock. */
void hvr_lock_fds(const HvrLock *lock, int out_fds[2]);
const char *hvr_lock_name(const HvrLock *lock);
/* (transfer none): the one of that name, or NULL. @locks: of HvrLock */
HvrLock *hvr_lock_find(const GPtrArray *locks, const char *name);

/**
 * hvr_lock_say - add what @extra has in its group HVR_LOCK_EXTRA to what the lock's file says.
 * Errors: G_IO_ERROR
 */
gboolean hvr_lock_say(HvrLock *lock, GKeyFile *extra, GError **error) G_GNUC_WARN_UNUSED_RESULT;
#define HVR_LOCK_EXTRA "extra"

/* Unlocks for everybody who shares the lock, and removes the file. NULL is accepted. */
void hvr_lock_release(HvrLock *lock);
/* Closes our descriptors only: whoever else has them keeps the lock. NULL is accepted. */
void hvr_lock_leave(HvrLock *lock);

/* Removes the lock files that nobody holds: what killed processes have left. */
void hvr_lock_sweep(int runtime);

/**
 * HvrLockWatch - hears when any lock may have become free.
 */
int hvr_lock_watch_new(int runtime, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Blocks until one of @names (of char *) may have become free; FALSE at @deadline_us (monotonic; 0:
 * none), or when somebody asks us to stop (see hvr_interrupt_check()). What is not among them wakes
 * nobody: whoever tries for two locks and gets one gives that one up again, and would wake itself
 * for ever. */
gboolean hvr_lock_watch_wait(int watch, const GPtrArray *names, gint64 deadline_us);
