/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* The file of [serial] file, which is the VM's user's. */

/**
 * hvr_serial_file_check - could it be written, or made? Changes nothing.
 * Errors: HVR_LAUNCH_ERROR_PROFILE, or _PERMISSION
 */
gboolean hvr_serial_file_check(const HvrContext *context, const HvrProfile *profile,
			       const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_serial_file_open - open it for QEMU to write to, as @parts' user, and make it where it is
 * missing: then hvr_parts_remove() takes it back. What is in one that is there stays: a start that
 * comes to nothing leaves what the last VM said.
 * Returns: a descriptor (O_WRONLY) that the caller closes, or -1 with the errors of the check
 */
int hvr_serial_file_open(const HvrProfile *profile, const HvrParts *parts,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_serial_file_tell_lost - after QEMU's end: says so, once, where the file has not all that the
 * guest said. QEMU drops what it cannot write without a word (qemu_chr_write_log() in
 * chardev/char.c).
 * @fd: open on the file; the VM's user answers for its file system, so it is asked as they
 * @said: how much that was, in bytes
 */
void hvr_serial_file_tell_lost(const HvrProfile *profile, const HvrUser *user, int fd,
			       guint64 said);

/* Empties what hvr_serial_file_open() has opened, as QEMU is to begin now. */
void hvr_serial_file_empty(const HvrProfile *profile, int fd);
