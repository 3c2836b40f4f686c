/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/**
 * The runtime folder, /run/hailo-vm-run as root, otherwise where hvr_home_find() says:
 *
 *   devices/ADDRESS.ini  the journal, one file per function that was changed (journal.h)
 *   locks/NAME           flock(2) files, one per IOMMU group, VM (lock.h) and waiter (queue.h)
 *   vms/NAME/            one running VM: its record, its sockets, its log (vm.h)
 *   ended/NAME/          what is left of one that has ended: its logs (ended.h)
 *   qemu/DIGEST          a QEMU that has answered well (launcher/host/qemu-answers.h)
 *
 * Folders are 0700, files 0600. Every one is made and opened without following links, and must
 * belong to the caller.
 */

/**
 * hvr_runtime_open - open, and make where missing, the folder @name in @parent with what is in it.
 * Returns: a descriptor that the caller closes, or -1.
 * Errors: HVR_LAUNCH_ERROR_PERMISSION when it is a link, not a folder, somebody else's, or open to
 * others; G_IO_ERROR. Nothing that exists is changed.
 */
int hvr_runtime_open(int parent, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One private folder (0700) below @dir, made where missing, checked as above. */
int hvr_runtime_open_folder(int dir, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_runtime_replace - write a file so that at any moment the old or the new one is there, whole:
 * temporary file, fsync, rename, fsync of the folder.
 */
gboolean hvr_runtime_replace(int dir, const char *name, const char *text,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same with permission bits, for a file that others may read. */
gboolean hvr_runtime_replace_mode(int dir, const char *name, const char *text, mode_t mode,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Remove a file durably. Success when there is none. */
gboolean hvr_runtime_remove(int dir, const char *name, GError **error);

/**
 * hvr_runtime_listen - a listening Unix socket (0600, close-on-exec) at @name in @dir.
 * The path may be longer than sun_path allows: it is bound through the descriptor.
 * Returns: the descriptor, or -1.
 */
int hvr_runtime_listen(int dir, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
