/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

/**
 * HvrKmsg - what the kernel says from a moment on, to tell which of several causes an errno has:
 * open it before something is tried, and ask when that failed. The kernel logs before the call that
 * failed returns, so nothing is waited for.
 *
 * Only lines of the kernel itself: whatever a process writes to /dev/kmsg has another facility,
 * which it cannot choose to be the kernel's (devkmsg_write() in printk.c). Their text is not to be
 * trusted all the same: a driver may print what a card or a guest tells it.
 */
typedef struct HvrKmsg HvrKmsg;

/**
 * hvr_kmsg_open - from now on. Changes nothing; what is read here is not taken from others.
 * Returns: (transfer full): NULL where there is no log to read: in a captured tree, in many
 * containers, and for a plain user where kernel.dmesg_restrict is set
 */
HvrKmsg *hvr_kmsg_open(const HvrHost *host) G_GNUC_WARN_UNUSED_RESULT;

/* NULL is accepted. */
void hvr_kmsg_free(HvrKmsg *kmsg);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrKmsg, hvr_kmsg_free)

/**
 * hvr_kmsg_read - the lines since hvr_kmsg_open(), or since this was asked before, that name one of
 * @names. Blocks nobody. Where there are many, the newest.
 * @kmsg: (nullable): has no lines
 * @names: ends with NULL. Addresses ("0000:02:00.0"), and drivers by how their words begin: "hailo"
 * finds "hailo 0000:..." and "hailo_pci: ...", "vfio_" only "vfio_pin_pages_remote: RLIMIT_MEMLOCK
 * (65536) exceeded"
 * Returns: (transfer full): array of char *, printable ASCII without the record's header; may be
 * empty
 */
GPtrArray *hvr_kmsg_read(HvrKmsg *kmsg, const char *const *names) G_GNUC_WARN_UNUSED_RESULT;

/* Does @text name @name, as a word of its own or the beginning of one? An address is a whole word:
 * 0000:02:00.0 is not in "10000:02:00.0". */
gboolean hvr_kmsg_names(const char *text, const char *name);
