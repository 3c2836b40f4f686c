/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/guest/guest.h"

/* What one guest-file-read asks for, and one guest-file-write is given at most. QEMU's agent has no
 * limit below 48 MiB; ours is a line. */
#define HVR_GUEST_FILE_BYTES (1024 * 1024)

/*
 * Files of the guest as its agent has them (qga/commands-posix.c). A handle is the agent's, not the
 * conversation's. All errors are in HVR_QMP_ERROR; REMOTE: the guest's kernel said no.
 */

/**
 * hvr_guest_file_open - by fopen(3)'s @mode. A FIFO must be opened "r+", which waits for nobody.
 * Returns: a handle, or -1
 */
gint64 hvr_guest_file_open(HvrGuest *guest, const char *path, const char *mode,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean hvr_guest_file_close(HvrGuest *guest, gint64 handle,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_guest_file_read - the next bytes. Behind its end a file may grow, and be read on.
 * @out_end: there was no more
 * Returns: (transfer full)
 */
GByteArray *hvr_guest_file_read(HvrGuest *guest, gint64 handle, gboolean *out_end,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* @length: at most HVR_GUEST_FILE_BYTES. That all of it is written is known when it is closed. */
gboolean hvr_guest_file_write(HvrGuest *guest, gint64 handle, const void *bytes, gsize length,
			      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A file that is written at one go. Nothing is owned. */
typedef struct {
	const char *path, *mode;
	const void *bytes;
	gsize length;
} HvrGuestPiece;
gboolean hvr_guest_file_put(HvrGuest *guest, const HvrGuestPiece *piece,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;
