/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/guest/report-files.h"

/**
 * HvrKeeper - a process that stands in for one that writes reports: when that one is gone without
 * a word, whatever ended it, the keeper writes what was last said to be true then.
 *
 * It has a session of its own and all our signals blocked, so what ends our process group does not
 * end it. What ends all processes at once (cgroup.kill) does: so the files say something true at
 * all times.
 */
typedef struct HvrKeeper HvrKeeper;

/**
 * hvr_keeper_new - fork it.
 * @files: a copy of these is what it writes to
 * Returns: (transfer full); NULL with HVR_LAUNCH_ERROR_KERNEL
 */
HvrKeeper *hvr_keeper_new(const HvrReportFiles *files, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From here on these are what it writes if we vanish. One that is gone itself is no error. */
void hvr_keeper_tell(HvrKeeper *keeper, const HvrReportTexts *texts);

/* In a child of ours, which is not whom the keeper waits for: lets go of it. */
void hvr_keeper_leave(HvrKeeper *keeper);

/* All is written: it ends, and is waited for. NULL is accepted. */
void hvr_keeper_done(HvrKeeper *keeper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrKeeper, hvr_keeper_done)
