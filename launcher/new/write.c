/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/new/write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

typedef struct {
	const char *path, *text;
} Job;

/* A HvrAsUserStep. */
static int write_file(gpointer data, guint i, int *out_fd)
{
	const Job *job = data;
	g_auto(HvrFd) fd = open(job->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return errno;
	if (hvr_fd_write_all(fd, job->text, strlen(job->text)))
		return 0;
	int saved = errno;
	unlink(job->path);
	return saved;
}

gboolean hvr_new_write(const HvrUser *caller, const char *command, const char *path,
		       const char *text, GError **error)
{
	Job job = { .path = path, .text = text };
	const HvrAsUser how = { .user = caller, .step = write_file, .data = &job, .keep = -1 };
	HvrAsUserResult result;

	hvr_as_user(&how, &result, 1);
	if (result.problem == 0)
		return TRUE;
	if (result.problem == EEXIST) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "%s: '%s' is there already, and stays as it is", command, path);
		hvr_error_hint(error, "a profile that is there is started by 'run'; else name "
				      "another file, or - to have it printed");
		return FALSE;
	}
	const HvrOpen file = { .path = path, .how = HVR_OPEN_REPLACE, .problem = result.problem };
	hvr_open_fail(error, HVR_LAUNCH_ERROR_UNAVAILABLE, command, caller, &file);
	return FALSE;
}
