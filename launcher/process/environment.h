/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* Where a process with privileges looks for programs: folders that only root can write. */
#define HVR_TRUSTED_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/**
 * hvr_environment_clean - leave of this process's environment what root believes, and PATH as
 * HVR_TRUSTED_PATH. For a process with privileges, before anything reads the environment: libraries
 * are told by it what to load, and what we become or start inherits it unless told otherwise.
 * The dynamic linker and the constructors of libraries have read theirs before any code of ours.
 */
void hvr_environment_clean(void);

/**
 * hvr_environment_for_programs - what QEMU, and each program that helps it, finds.
 * It has a path, a language, a time zone and the names by which job systems find what their jobs
 * have started. It has none of the caller's other variables, as what is a secret among them cannot
 * be known.
 * @privileged: we have privileges: PATH is HVR_TRUSTED_PATH, values that name odd places are left
 *		out, and so is TMPDIR, a folder of the caller's and not of the VM's user
 * Returns: (transfer full): for execve(2)
 */
char **hvr_environment_for_programs(gboolean privileged) G_GNUC_WARN_UNUSED_RESULT;
