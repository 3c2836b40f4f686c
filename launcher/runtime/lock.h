/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/process.h"
#include "launcher/runtime/vm.h"

/**
 * HvrLock - an exclusive flock(2) on locks/NAME: "group-14" for an IOMMU group, "vm-lab" for a VM,
 * "wait-..." for a place in the queue (queue.h).
 *
 * The flock belongs to an open file description that QEMU never gets. It lives as long as any
 * process that has the descriptor: the supervisor and its workers. The file says who that is and,
 * from QEMU's start on, which process QEMU is: while that one lives the lock is held, whatever
 * becomes of the supervisor and whatever QEMU does with what it has. That is one read-only
 * descriptor for each group, with a flock of its own, of locks/NAME.qemu, a file that says nothing
 * and belongs to whoever has the lock.
 *
 * Who is dead is decided by pid and start time, so a descriptor that is stolen from QEMU keeps
 * nothing when QEMU has ended. That a group which somebody has open is nobody else's is the
 * kernel's business, and asked of it under the lock (inuse.h, giveback.h).
 *
 * A QEMU that version 0.1 started has locks/NAME itself flocked, which counts as ever.
 *
 * Waiting is by inotify and pidfd, see lock-watch.h: whoever ends up closing the last writable
 * descriptor of a lock file, even by being killed, causes IN_CLOSE_WRITE, so the holder keeps a
 * second, writable one. Tries use read-only descriptors and wake nobody.
 */
typedef struct HvrLock HvrLock;

/* What a lock says of its holder. */
typedef struct {
	char *vm;	 /* the VM's name; NULL: a command such as `prepare` */
	HvrProcess pid;	 /* who took it; QEMU, where that is what is left */
	gint64 since;	 /* seconds since the epoch */
	HvrProcess qemu; /* pid 0: none is named */
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
 * hvr_lock_stand_in - the same for a command that acts in the place of a supervisor that is gone or
 * never was: QEMU, which keeps the lock, must be that of @vm, or nobody has it.
 * hvr_lock_leave() leaves it to QEMU again.
 * Errors: HVR_LAUNCH_ERROR_BUSY, naming the holder; G_IO_ERROR
 */
HvrLock *hvr_lock_stand_in(const HvrContext *context, const char *name, const HvrVm *vm,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum {
	HVR_LOCK_FREE,
	HVR_LOCK_LEFT,	/* free: its QEMU has ended, and nobody was there to remove the file */
	HVR_LOCK_HELD,	/* by who took it */
	HVR_LOCK_QEMUS, /* by its QEMU alone */
} HvrLockState;

/* How is it, and who holds it? @out_holder: cleared by the caller, whatever the state */
HvrLockState hvr_lock_look(const HvrHost *host, int runtime, const char *name,
			   HvrLockHolder *out_holder);
/* Who holds it? FALSE when it is free. */
gboolean hvr_lock_holder(const HvrHost *host, int runtime, const char *name,
			 HvrLockHolder *out_holder);

gboolean hvr_lock_is_of_group(const HvrLock *lock);

/**
 * hvr_lock_open_for_qemu - the one descriptor that QEMU is to have of the lock, made anew.
 * Returns: a descriptor that the caller closes, or -1
 * Errors: G_IO_ERROR
 */
int hvr_lock_open_for_qemu(const HvrLock *lock, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_lock_name_qemu - write down which process is QEMU: from here on the lock is held for as long
 * as that lives, until it is released. One that is not in /proc is not written down.
 * Errors: G_IO_ERROR, of which errno says the same to who can say no more
 */
gboolean hvr_lock_name_qemu(HvrLock *lock, const HvrProcess *qemu,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

const char *hvr_lock_name(const HvrLock *lock);
/* (transfer none): the one of that name, or NULL. @locks: of HvrLock */
HvrLock *hvr_lock_find(const GPtrArray *locks, const char *name);

/**
 * hvr_lock_say - add what @extra has in its group HVR_LOCK_EXTRA to what the lock's file says.
 * Errors: G_IO_ERROR
 */
gboolean hvr_lock_say(HvrLock *lock, GKeyFile *extra, GError **error) G_GNUC_WARN_UNUSED_RESULT;
#define HVR_LOCK_EXTRA "extra"

/* Unlocks for everybody, QEMU too, and removes the file. NULL is accepted. */
void hvr_lock_release(HvrLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrLock, hvr_lock_release)
/* Closes our descriptors only: a QEMU that was named keeps the lock, as does a child that has it by
 * fork(2). NULL is accepted. */
void hvr_lock_leave(HvrLock *lock);

/* By a child that has a lock of its parent's: from here on the file says that it is the child's.
 * @vm: (nullable): as of hvr_lock_try() */
void hvr_lock_adopt(const HvrHost *host, HvrLock *lock, const char *vm);

/* Removes the lock files that nobody holds: what killed processes have left. */
void hvr_lock_sweep(const HvrHost *host, int runtime);
