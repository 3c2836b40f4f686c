/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/qemu/channels.h"
#include "launcher/qemu/cmdline-devices.h"
#include "launcher/qemu/cmdline-disks.h"
#include "launcher/qemu/cmdline-serial.h"

/**
 * hvr_cmdline_build - QEMU's argv for a profile. Pure: opens nothing, asks nobody.
 * @kvm: use KVM (accel = auto was decided by the caller)
 * @cards: of HvrPlanCard, in order
 *
 * Every card sits alone on a pcie-root-port of its own (a function on the root bus cannot be
 * unplugged); HVR_MACHINE_SPARE_PORTS more are there for "plug". -device, -blockdev and -object are
 * JSON, so nothing in a value can add an option; where only key=value exists, or @dialect wants it,
 * commas are doubled.
 *
 * QEMU ids: cards, nets and virtio disks are devices by their profile names; all else begins with
 * "hvr-", which no profile name can. The throw-away file of "snapshot = yes" is made by QEMU in
 * $TMPDIR, else /var/tmp, and has no name from the start.
 *
 * Returns: (transfer full): strings, and a NULL as the last; argv[0] is the profile's qemu binary.
 */
GPtrArray *hvr_cmdline_build(const HvrProfile *profile, gboolean kvm, const GPtrArray *cards,
			     const HvrCmdlineChannels *channels,
			     const HvrDialect *dialect) G_GNUC_WARN_UNUSED_RESULT;

/* @argv as one line that a POSIX shell reads back as the same words, up to its end or a NULL;
 * only what needs it is quoted. */
char *hvr_cmdline_quote(const GPtrArray *argv) G_GNUC_WARN_UNUSED_RESULT;
