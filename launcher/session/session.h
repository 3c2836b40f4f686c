/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/vm.h"
#include "qmp/client.h"

/**
 * HvrSession - one running VM, in the hands of whoever answers for it: its supervisor, or, when
 * that is gone, a command that stands in for it.
 *
 * One GMainLoop waits for QEMU's end (pidfd), QMP, termination signals, the control socket and
 * QEMU's standard error; when nothing happens, nothing wakes up.
 *
 * The session is where a device that has left QEMU (DEVICE_DELETED) goes back to the host,
 * whoever asked for it and however late the guest was.
 */
typedef struct HvrSession HvrSession;

typedef struct HvrShutdown HvrShutdown; /* shutdown.c */

struct HvrSession {
	const HvrContext *context;
	const HvrProfile *profile; /* NULL for a stand-in: then nothing can be plugged */
	HvrVm *vm;		   /* the record, kept up to date */
	int folder;		   /* vms/NAME */
	GPtrArray *locks;	   /* of HvrLock: the groups that are with the VM */
	HvrQmpClient *qmp;
	GMainLoop *loop;
	int pidfd;
	gboolean child; /* QEMU is our child: we are its supervisor */
	gboolean qemu_ended;
	int wait_status; /* of waitid(2), when `child` */
	HvrShutdown *shutdown;
	GHashTable *problems; /* device id -> GError: why giving it back failed */
	GError *failure;      /* why we ended QEMU ourselves, or NULL */
	GPtrArray *stops;     /* of HvrSessionStop: who wants to know of the end */
};

/**
 * hvr_session_new - answer for a VM.
 * @vm: (transfer full)
 * @folder: (transfer full): vms/NAME
 * @qmp: (transfer full): a monitor of its QEMU
 * @pidfd: (transfer full): of its QEMU
 */
HvrSession *hvr_session_new(const HvrContext *context, const HvrProfile *profile, HvrVm *vm,
			    int folder, HvrQmpClient *qmp, int pidfd);

/* Leaves the VM and its locks as they are. NULL is accepted. */
void hvr_session_free(HvrSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrSession, hvr_session_free)

/**
 * hvr_session_stand_in - answer for a VM whose supervisor is gone or never was (--exec).
 * Connects to its qmp.sock; shares the locks that QEMU holds. Where the monitor has somebody else
 * connected, its commands end in HVR_QMP_ERROR_TIMEOUT.
 * @vm: (transfer full), also on failure
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE when QEMU has ended; _BUSY for a lock; G_IO_ERROR
 */
HvrSession *hvr_session_stand_in(const HvrContext *context, HvrVm *vm,
				 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs the loop until QEMU has ended. */
void hvr_session_run(HvrSession *session);

/* What a request came to. @error: NULL when it was done; borrowed. Told exactly once. */
typedef void (*HvrSessionDone)(const GError *error, gpointer user_data);

/**
 * hvr_session_unplug - hot-unplug a [device] section with all functions that it brought along,
 * and give them back to the host once their whole IOMMU group has left QEMU.
 * @keep: leave them on vfio-pci
 *
 * Errors: HVR_LAUNCH_ERROR_USAGE for a device that the VM does not have; HVR_QMP_ERROR_TIMEOUT:
 * still in the VM, nothing rebound; _REFUSED; _CLOSED: QEMU ended meanwhile; or why giving back
 * failed.
 */
void hvr_session_unplug(HvrSession *session, const char *device, guint timeout_ms, gboolean keep,
			HvrSessionDone done, gpointer user_data);

/**
 * hvr_session_plug - prepare a [device] of the profile again and hot-plug it.
 * Errors: as hvr_claim_take(), hvr_plan_make(), hvr_execute(), and QEMU's. Then the host has the
 * card again, unless QEMU has its group open all the same: such a card counts as in the VM.
 */
void hvr_session_plug(HvrSession *session, const char *device, HvrSessionDone done,
		      gpointer user_data);

/* @done is told when QEMU has ended and everything is given back: hvr_session_stopped(). */
void hvr_session_stop(HvrSession *session, gboolean force, guint powerdown_ms, HvrSessionDone done,
		      gpointer user_data);
void hvr_session_stopped(HvrSession *session, const GError *error);

/* Writes the record anew; a failure is only a warning. */
void hvr_session_save(HvrSession *session);

/* (transfer none): the device with QEMU's id @id, or NULL. */
HvrVmDevice *hvr_session_device(const HvrSession *session, const char *id);

/* Does any function of @group sit in QEMU now? */
gboolean hvr_session_has_group(const HvrSession *session, int group);

/* session-hotplug.c: a device has left QEMU. */
void hvr_session_device_gone(HvrSession *session, const char *id);
