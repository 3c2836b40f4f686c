/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/*
 * A log that others can make grow, of which the begin and the end are kept. It is one file: what is
 * in between becomes a hole, so it takes at most about a MiB of its file system, its size tells how
 * much was ever said, and who reads on needs no other file. No byte of it is NUL, so those of a
 * hole are.
 */

/* What is kept of the begin and, at least, of the end. */
#define HVR_LOG_BEGIN_BYTES (256 * 1024)
#define HVR_LOG_END_BYTES   (512 * 1024)
/* How much may be written between two hvr_log_cut(). */
#define HVR_LOG_TURN_BYTES (64 * 1024)

/* Makes a hole where it has grown too large. FALSE: it has, but its file system has no holes: no
 * more may be written. */
gboolean hvr_log_cut(int fd);

/* Goes on reading behind the hole, where there is one. Returns: how many bytes that are. */
gint64 hvr_log_skip_hole(int fd);

/* One that is open for appending, while it is written. */
typedef struct {
	int fd;		 /* -1: there is none */
	gboolean full;	 /* no more of it is kept */
	gsize new_bytes; /* since it was cut */
} HvrLogFile;

/* @length bytes have come to it by another way: cuts it when it is time. FALSE: it is full now */
gboolean hvr_log_file_grown(HvrLogFile *file, gsize length);

/* Appends, where there is one that is not full. FALSE with errno: it is full now: its file system
 * is, or has no holes */
gboolean hvr_log_file_add(HvrLogFile *file, const void *bytes, gsize length);
