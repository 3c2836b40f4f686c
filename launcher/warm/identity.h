/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/parts/image-file.h"

/**
 * hvr_warm_identity - which file this is, and in which version: its number, size and the times of
 * its last changes, to the nanosecond. Whoever changes one byte of a file moves its ctime, which no
 * program sets back (notify_change() in fs/attr.c); so its content, of which that of a disk image
 * would last longer than a boot, need not be read.
 * Without the device, whose number another boot of the host may change.
 * Returns: (transfer full): without a newline
 */
char *hvr_warm_identity(const HvrImageFile *file) G_GNUC_WARN_UNUSED_RESULT;
