/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/runtime/job.h"

#include <string.h>

#include "launcher/report/error.h"

#define OWN	"HAILO_VM_JOB"
#define LONGEST 64

static const char *const theirs[] = { "SLURM_JOB_ID", "PBS_JOBID",     "LSB_JOBID", "FLUX_JOB_ID",
				      "CI_JOB_ID",    "GITHUB_RUN_ID", "BUILD_TAG" };

gboolean hvr_job_valid(const char *job)
{
	gsize length = strspn(job, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._:+-");

	return length > 0 && length <= LONGEST && job[length] == '\0' && g_ascii_isalnum(job[0]);
}

gboolean hvr_job_find(char **out_job, GError **error)
{
	const char *own = g_getenv(OWN);

	*out_job = NULL;
	if (own && *own && !hvr_job_valid(own)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, OWN ": it is no job");
		hvr_error_hint(error, "expected up to %d of A-Z, a-z, 0-9, . _ : + and -", LONGEST);
		return FALSE;
	}
	if (own && *own) {
		*out_job = g_strdup(own);
		return TRUE;
	}
	for (guint i = 0; i < G_N_ELEMENTS(theirs) && !*out_job; i++) {
		const char *value = g_getenv(theirs[i]);
		if (value && hvr_job_valid(value))
			*out_job = g_strdup(value);
	}
	return TRUE;
}
