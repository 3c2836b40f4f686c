/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/vm.h"
#include "launcher/session/shutdown.h"
#include "qmp/client.h"

/**
 * HvrSession - one running VM, in the hands of whoever answers for it: its supervisor, or, when
 * that is gone, a command that stands in for it.
 *
 * One GMainLoop waits for QEMU's end (pidfd), QMP, termination signals, the control socket and
 * QEMU's standard error; when nothing happens, nothing wakes up.
 */
typedef struct HvrSession HvrSession;

typedef struct HvrSerialHub HvrSerialHub; /* serial-hub.h */

struct HvrSession {
	const HvrContext *context;
	const HvrProfile *profile; /* NULL for a stand-in: then nothing can be plugged */
	HvrVm *vm;		   /* the record, kept up to date */
	int folder;		   /* vms/NAME */
	GPtrArray *locks;	   /* of HvrLock: the groups that are with the VM */
	HvrQmpClient *qmp;
	GMainLoop *loop;
	int pidfd;
	gboolean child;	   /* QEMU is our child: we are its supervisor */
	gboolean attached; /* it ends with whoever started it, or with a guest that panics */
	gboolean front;	   /* another process has the terminal, where our messages are shown */
	gboolean qemu_ended;
	int wait_status; /* of waitid(2), when `child` */
	HvrShutdown *shutdown;
	HvrSerialHub *serial; /* borrowed; NULL: it has no serial port, or we do not hold it */
	GError *failure;      /* why we ended QEMU ourselves, or NULL */
	GPtrArray *stops;     /* of HvrSessionStop: who wants to know of the end */
};

/* What a session is made of. It takes what stands from `vm` on. */
typedef struct {
	const HvrContext *context;
	const HvrProfile *profile; /* NULL for a stand-in */
	HvrVm *vm;
	int folder; /* vms/NAME */
	int pidfd;  /* of the VM's QEMU */
	HvrQmpClient *qmp;
} HvrSessionStart;

/* Answers for a VM from here on. */
HvrSession *hvr_session_new(const HvrSessionStart *start);

/* Leaves the VM and its locks as they are. NULL is accepted. */
void hvr_session_free(HvrSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrSession, hvr_session_free)

/**
 * hvr_session_stand_in - answer for a VM whose supervisor is gone or never was (--exec).
 * Connects to its qmp.sock; takes the locks that QEMU alone keeps, as its supervisor would. Where
 * the monitor has somebody else connected, its commands end in HVR_QMP_ERROR_TIMEOUT.
 * @vm: (transfer full), also on failure
 * @ends: it is to end the VM, for which no monitor is needed: one that is not to be had is no error
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE when QEMU has ended; _BUSY for a lock; G_IO_ERROR
 */
HvrSession *hvr_session_stand_in(const HvrContext *context, HvrVm *vm, gboolean ends,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs the loop until QEMU has ended. */
void hvr_session_run(HvrSession *session);

/* What a request came to. @error: NULL when it was done; borrowed. Told exactly once. */
typedef void (*HvrSessionDone)(const GError *error, gpointer user_data);

/**
 * hvr_session_stop - end the VM within these times, whoever has asked for it before; a guest that
 * is paused (QMP `stop`) goes on for it.
 * @done: told when QEMU has ended and everything is given back: hvr_session_stopped(). Or with
 *	  HVR_LAUNCH_ERROR_BUSY when the kernel keeps a QEMU that was killed: then the session goes
 *	  on to wait for its end.
 */
void hvr_session_stop(HvrSession *session, const HvrShutdownTimes *times, HvrSessionDone done,
		      gpointer user_data);
void hvr_session_stopped(HvrSession *session, const GError *error);

/* Ends QEMU without asking the guest, in the usual time. Nobody is told: the session ends. */
void hvr_session_quit(HvrSession *session);

/* QEMU has ended, or somebody has had it end: nothing is to come to this VM any more. */
gboolean hvr_session_is_ending(const HvrSession *session);

/* Writes the record anew; a failure is only a warning. */
void hvr_session_save(HvrSession *session);

/* (transfer none): the device with QEMU's id @id, or NULL. */
HvrVmDevice *hvr_session_device(const HvrSession *session, const char *id);

/* Does any function of @group sit in QEMU now? */
gboolean hvr_session_has_group(const HvrSession *session, int group);
