/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"

/* How QEMU is asked for [disk NAME] aio, and what it answers. All are pure. */

/* Does a disk want it? */
gboolean hvr_qemu_aio_wanted(const HvrProfile *profile, HvrDiskAio aio);

/* A node for -blockdev that reads @path in this way, as JSON. [transfer full] */
char *hvr_qemu_aio_node(const char *path, const char *word) G_GNUC_WARN_UNUSED_RESULT;

/* Does QEMU say of its build, or of a kernel that does not let it, that there is no such aio? What
 * it may say beside that is about the file. */
gboolean hvr_qemu_aio_is_lacking(const char *said);
