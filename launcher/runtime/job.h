/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * hvr_job_find - the job of a scheduler or CI system that this process is part of, by its
 * environment: HAILO_VM_JOB, else the first of SLURM_JOB_ID, PBS_JOBID, LSB_JOBID, FLUX_JOB_ID,
 * CI_JOB_ID (GitLab), GITHUB_RUN_ID and BUILD_TAG (Jenkins) that is one by hvr_job_valid(). It is a
 * note of whom cards are for, and gives nobody any right.
 * @out_job: (transfer full): NULL: none
 * Errors: HVR_LAUNCH_ERROR_USAGE: HAILO_VM_JOB is set, and is no job
 */
gboolean hvr_job_find(char **out_job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One to 64 of A-Z a-z 0-9 and . _ : + -, a letter or digit first. */
gboolean hvr_job_valid(const char *job);
