/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/guest/guest.h"

/**
 * HvrGuestFeed - a command's standard input on its way from a descriptor of ours to the guest's
 * files (run.sh), piece by piece as it comes, of which two at most wait there to be read.
 */
typedef struct {
	const char *folder; /* in the guest; borrowed */
	int fd;		    /* -1: there is none, or it has ended */
	gboolean regular;   /* a file, read from where it stands, which stays */
	off_t offset;	    /* in it */
	guint number;	    /* of the next piece */
	GByteArray *piece;  /* read, and not in the guest yet */
} HvrGuestFeed;

/* @fd: borrowed; -1: there is no input */
void hvr_guest_feed_init(HvrGuestFeed *feed, const char *folder, int fd);
void hvr_guest_feed_clear(HvrGuestFeed *feed);

/* Would it go on if there were something to read from its descriptor? */
gboolean hvr_guest_feed_wants(const HvrGuestFeed *feed);

/**
 * hvr_guest_feed_pass - read what there is, without waiting, and pass it on if the guest has room.
 * @out_came: something went; left alone otherwise
 * Errors: in HVR_QMP_ERROR, and HVR_LAUNCH_ERROR_KERNEL where it cannot be read here
 */
gboolean hvr_guest_feed_pass(HvrGuest *guest, HvrGuestFeed *feed, gboolean *out_came,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
