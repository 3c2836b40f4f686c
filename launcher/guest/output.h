/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/guest/guest.h"

/* When a file has so many bytes, the guest begins another; run.sh is told. */
#define HVR_GUEST_TURN_BYTES (2 * 1024 * 1024)

/* What is kept of an output for those who report. */
#define HVR_GUEST_KEPT_BYTES (1024 * 1024)

/**
 * HvrGuestOutput - one of a command's two outputs, on its way from the guest's files (run.sh) to a
 * descriptor of ours. It is read on only when all of it that is here was taken, so that a slow
 * reader holds the command up, and nothing is held in memory but a piece.
 */
typedef struct {
	const char *folder; /* in the guest; borrowed */
	const char *name;   /* "out"; borrowed */
	int fd;		    /* -1: nobody takes it any more */
	int copy;	    /* a file that gets all of it; below 1: none */
	gint64 handle;	    /* of the agent's; -1: none */
	guint number;	    /* of the file */
	guint64 bytes;	    /* that were read of it */
	gboolean ended;	    /* all was read */
	GByteArray *piece;  /* on its way */
	guint taken;	    /* of it */
	GByteArray *kept;   /* its first HVR_GUEST_KEPT_BYTES */
} HvrGuestOutput;

/* @output: @folder, @name, @fd and @copy are set, and all else 0. Errors: in HVR_QMP_ERROR */
gboolean hvr_guest_output_open(HvrGuest *guest, HvrGuestOutput *output,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What is not given back here is so by the end of the agent's own conversation with its kernel. */
void hvr_guest_output_close(HvrGuest *guest, HvrGuestOutput *output);

/* Is there something that its reader has not taken? */
gboolean hvr_guest_output_waits(const HvrGuestOutput *output);

/**
 * hvr_guest_output_read - the next piece from the guest, if the last one was taken.
 * @exited: the guest writes no more: behind the last file comes none
 * @out_came: something came; left alone otherwise
 * Errors: in HVR_QMP_ERROR
 */
gboolean hvr_guest_output_read(HvrGuest *guest, HvrGuestOutput *output, gboolean exited,
			       gboolean *out_came, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_guest_output_pass - give the reader as much as it takes at once; nobody waits.
 * Returns: 0, or the errno of a reader that takes no more, EPIPE: it has gone. From then on what
 * comes is thrown away.
 */
int hvr_guest_output_pass(HvrGuestOutput *output) G_GNUC_WARN_UNUSED_RESULT;

/* What the reader gets is for the file, too. One that cannot be written is told of, once. */
void hvr_guest_output_copy(int *copy, const GByteArray *bytes);
