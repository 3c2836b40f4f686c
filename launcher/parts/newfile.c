/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file appears whole or not at all: it is written under a name of its own in the same folder,
 * which is held by a descriptor, and renamed when it is done. The rename replaces nothing.
 */
#include "launcher/parts/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/process/privileges.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

static gboolean fail(GError **error, int saved, const char *what, const char *path)
{
	HvrLaunchError code = HVR_LAUNCH_ERROR_PROFILE;

	if (saved == EACCES || saved == EPERM || saved == EROFS)
		code = HVR_LAUNCH_ERROR_PERMISSION;
	g_set_error(error, HVR_LAUNCH_ERROR, code, "cannot %s '%s': %s", what, path,
		    g_strerror(saved));
	return FALSE;
}

gboolean hvr_new_file_begin(HvrNewFile *file, const char *path, const HvrUser *user, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);

	file->name = g_path_get_basename(path);
	file->temporary = g_strconcat(".", file->name, ".new", NULL);
	file->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (file->folder < 0)
		return fail(error, errno, "open the folder", folder);
	unlinkat(file->folder, file->temporary, 0);
	file->fd = openat(file->folder, file->temporary,
			  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return fail(error, errno, "create", path);
	file->made = TRUE;
	if (user->privileged && fchown(file->fd, user->uid, user->gid) < 0)
		return fail(error, errno, "give away", path);
	return TRUE;
}

/* NFS cannot rename without replacing, but has hard links; FAT has it the other way round. */
static gboolean give_name(const HvrNewFile *file)
{
	if (renameat2(file->folder, file->temporary, file->folder, file->name, RENAME_NOREPLACE) ==
	    0)
		return TRUE;
	return errno == EINVAL &&
	       linkat(file->folder, file->temporary, file->folder, file->name, 0) == 0 &&
	       unlinkat(file->folder, file->temporary, 0) == 0;
}

gboolean hvr_new_file_finish(HvrNewFile *file, GError **error)
{
	if (fsync(file->fd) < 0 || !give_name(file))
		return fail(error, errno, "create", file->name);
	file->made = FALSE;
	return TRUE;
}

void hvr_new_file_clear(HvrNewFile *file)
{
	if (file->made)
		unlinkat(file->folder, file->temporary, 0);
	hvr_fd_close(file->fd);
	hvr_fd_close(file->folder);
	g_free(file->name);
	g_free(file->temporary);
	*file = (HvrNewFile)HVR_NEW_FILE_INIT;
}

gboolean hvr_new_file_is_missing(const char *path)
{
	struct stat status;

	return lstat(path, &status) < 0 && errno == ENOENT;
}

gboolean hvr_new_file_check(const char *what, const char *path, const HvrUser *user, GError **error)
{
	HvrIdentity identity = hvr_user_identity(user);
	g_autofree char *folder = g_path_get_dirname(path);
	/* by a name in it, which takes what QEMU will need there: leave to pass */
	g_autofree char *inside = g_build_filename(folder, ".", NULL);

	if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0) {
		fail(error, errno, "create", path);
		g_prefix_error(error, "%s: ", what);
		return FALSE;
	}
	int problem = hvr_privileges_can_access(&identity, inside, O_PATH | O_DIRECTORY);
	if (!problem)
		return TRUE;
	fail(error, problem, "let the VM's user into the folder of", path);
	g_prefix_error(error, "%s: ", what);
	hvr_error_hint(error,
		       "QEMU runs as user %u: give it access to that folder, or set "
		       "[security] user",
		       (guint)user->uid);
	return FALSE;
}
