/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/session.h"

/* @error: NULL: it is done. Borrowed. Told once, never from inside hvr_transfer_begin(). */
typedef void (*HvrTransferDone)(const GError *error, gpointer user_data);

/**
 * HvrTransfer - a guest's devices and RAM on their way out of QEMU, or into it.
 *
 * By QEMU's migration, over a descriptor that it is handed: it opens no path, and its sandbox stays
 * as it is. All versions take a file's as a stream ("fd:" with getfd). 9.0 and later have the
 * capability mapped-ram (docs/devel/migration/mapped-ram.rst), where each page has its place in the
 * file ("file:" with add-fd), which is read faster, and say of a file behind "fd:" that it is
 * deprecated. So a state is read the way it was written as long as QEMU is the same.
 */
typedef struct {
	HvrSession *session;
	int fd;
	gboolean in;	 /* into QEMU */
	gboolean mapped; /* RAM has its place in the file */
	guint step;
	guint subscription;
	gboolean over;
	HvrTransferDone done;
	gpointer user_data;
} HvrTransfer;

/**
 * hvr_transfer_out - pause the guest, and write its state to @fd. QEMU then stays as it is, paused,
 * and has closed its disks.
 * @transfer: its memory must outlive the session
 * @fd: a file, empty, O_RDWR; borrowed
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: QEMU cannot, with its words
 */
void hvr_transfer_out(HvrTransfer *transfer, HvrSession *session, int fd, HvrTransferDone done,
		      gpointer user_data);

/**
 * hvr_transfer_in - read it from @fd into a QEMU that was started for it (`-incoming defer`). The
 * guest is then paused where it was saved. What is no state of this guest ends QEMU, or is an
 * error.
 */
void hvr_transfer_in(HvrTransfer *transfer, HvrSession *session, int fd, HvrTransferDone done,
		     gpointer user_data);

/* Nobody is told any more. Of one that was never begun (all 0) nothing is to be ended. */
void hvr_transfer_end(HvrTransfer *transfer);
