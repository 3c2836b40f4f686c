/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest's serial port says, in a file. QEMU gets a descriptor and no path; it is opened as
 * the VM's user, so that a profile can name no file but theirs.
 */
#include "launcher/parts/serialfile.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/parts/newfile.h"
#include "launcher/process/asuser.h"
#include "launcher/process/open.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "vfio/fd.h"

#define WHAT "[serial] file"

gboolean hvr_serial_file_check(const HvrContext *context, const HvrProfile *profile,
			       const HvrParts *parts, GError **error)
{
	const char *path = profile->serial_file;
	HvrOpen file = { .path = path, .how = HVR_OPEN_WRITE, .fd = -1 };

	if (profile->serial != HVR_SERIAL_FILE)
		return TRUE;
	if (hvr_open(parts->user, &file, 1)) {
		hvr_fd_close(file.fd);
		return TRUE;
	}
	if (file.problem == ENOENT)
		return hvr_new_file_check(WHAT, path, parts->user, error);
	hvr_open_fail(error, HVR_LAUNCH_ERROR_PROFILE, WHAT, parts->user, &file);
	return FALSE;
}

/* Empty, and noted: where the start comes to nothing it goes again. */
static gboolean make(const char *path, const HvrParts *parts, GError **error)
{
	g_auto(HvrNewFile) file = HVR_NEW_FILE_INIT;

	if (hvr_new_file_begin(&file, path, parts->user, error) &&
	    hvr_new_file_finish(&file, parts->made, error))
		return TRUE;
	g_prefix_error(error, WHAT ": ");
	return FALSE;
}

int hvr_serial_file_open(const HvrProfile *profile, const HvrParts *parts, GError **error)
{
	HvrOpen file = { .path = profile->serial_file, .how = HVR_OPEN_WRITE, .fd = -1 };

	if (hvr_open(parts->user, &file, 1))
		return file.fd;
	if (file.problem == ENOENT) {
		if (!make(file.path, parts, error))
			return -1;
		if (hvr_open(parts->user, &file, 1))
			return file.fd;
	}
	hvr_open_fail(error, HVR_LAUNCH_ERROR_PROFILE, WHAT, parts->user, &file);
	return -1;
}

void hvr_serial_file_empty(const HvrProfile *profile, int fd)
{
	if (profile->serial == HVR_SERIAL_FILE && fd >= 0 && ftruncate(fd, 0) < 0)
		g_debug("cannot empty '%s': %s", profile->serial_file, g_strerror(errno));
}

typedef struct {
	int fd;
	guint64 said;
} Wanted;

/* A HvrAsUserStep. */
static int compare_size(gpointer data, guint i, int *out_fd)
{
	const Wanted *wanted = data;
	struct stat st;

	if (fstat(wanted->fd, &st) < 0)
		return errno;
	return (guint64)st.st_size < wanted->said ? ENODATA : 0;
}

void hvr_serial_file_tell_lost(const HvrProfile *profile, const HvrUser *user, int fd, guint64 said)
{
	Wanted wanted = { .fd = fd, .said = said };
	const HvrAsUser how = { .user = user, .step = compare_size, .data = &wanted, .keep = fd };
	HvrAsUserResult result = { .fd = -1 };

	if (fd < 0)
		return;
	hvr_as_user(&how, &result, 1);
	hvr_fd_close(result.fd);
	if (result.problem == ENODATA)
		hvr_message("warning: [serial] file: '%s' has not all of the %" PRIu64
			    " bytes that the guest said: its file system was full, or somebody "
			    "has cut it",
			    profile->serial_file, said);
}
