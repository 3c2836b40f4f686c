/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are written when a card has moved already: what outlives us below /run, and what QEMU
 * makes for a disk whose changes are thrown away.
 *
 * QEMU's is in $TMPDIR, else in /var/tmp (get_tmp_filename() in block.c); of the two only the
 * latter is there when root starts it.
 */
#include "launcher/parts/room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "launcher/process/environment.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define KIB 1024u

/* A VM's own files, and those of each of its cards, all of which are small: files, and each may
 * take a page. */
#define FILES_OF_VM   16
#define FILES_OF_CARD 6
#define FILE_KIB      4

/* An empty overlay of QEMU's has a few clusters. */
#define OVERLAY_BYTES (1024 * 1024)

gboolean hvr_room_check_runtime(const HvrContext *context, guint n_cards, GError **error)
{
	guint files = FILES_OF_VM + n_cards * FILES_OF_CARD;
	int folder = context->runtime >= 0 ? context->runtime : context->runtime_parent;
	struct statvfs st;

	if (folder < 0 || fstatvfs(folder, &st) < 0)
		return TRUE;
	guint64 kib = (guint64)st.f_bavail * st.f_frsize / KIB;
	/* a file system that does not count its files says 0 */
	gboolean few = st.f_files > 0 && st.f_favail < files;
	if (!(st.f_flag & ST_RDONLY) && kib >= (guint64)files * FILE_KIB && !few)
		return TRUE;
	const char *path = context->runtime_path;
	if (st.f_flag & ST_RDONLY)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "the runtime folder %s is on a file system that is read-only", path);
	else if (few)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "the runtime folder %s has room for %" G_GUINT64_FORMAT
			    " files, and the VM needs %u",
			    path, (guint64)st.f_favail, files);
	else
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "the runtime folder %s has %" G_GUINT64_FORMAT
			    " KiB left, and the VM needs %u",
			    path, kib, files * FILE_KIB);
	hvr_error_hint(error,
		       "what is written there gives cards back after a crash: see df and "
		       "df -i of it, and make room, such as by hailo-vm-run status --forget");
	return FALSE;
}

/* Where O_TMPFILE is not known (overlayfs before Linux 6.2, NFS) the folder's word is taken. */
static int step_overlay(gpointer data, guint i, int *out_fd)
{
	const char *folder = data;
	g_auto(HvrFd) fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return posix_fallocate(fd, 0, OVERLAY_BYTES);
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return errno;
	return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static gboolean check_overlay(const HvrProfileDisk *disk, const HvrUser *user, const char *folder,
			      GError **error)
{
	const HvrAsUser how = {
		.user = user, .step = step_overlay, .data = (gpointer)folder, .keep = -1
	};
	HvrLaunchError code = HVR_LAUNCH_ERROR_UNAVAILABLE;
	HvrAsUserResult result;

	hvr_as_user(&how, &result, 1);
	if (result.problem == 0)
		return TRUE;
	if (result.problem == EACCES || result.problem == EPERM)
		code = HVR_LAUNCH_ERROR_PERMISSION;
	g_set_error(error, HVR_LAUNCH_ERROR, code,
		    "[disk %s] snapshot: user %s cannot make its throw-away file in '%s': %s",
		    disk->id, user->name, folder, g_strerror(result.problem));
	if (user->privileged)
		hvr_error_hint(error, "QEMU makes it there: let that user, and make room");
	else
		hvr_error_hint(error, "let TMPDIR name a folder that has room for it");
	return FALSE;
}

static gboolean check_overlays(const HvrProfile *profile, const HvrUser *user, GError **error)
{
	g_auto(GStrv) environment = hvr_environment_for_programs(geteuid() == 0);
	const char *folder = g_environ_getenv(environment, "TMPDIR");

	if (!folder)
		folder = "/var/tmp";
	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);
		if (disk->snapshot)
			return check_overlay(disk, user, folder, error);
	}
	return TRUE;
}

gboolean hvr_room_check(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
			GError **error)
{
	return hvr_room_check_runtime(context, profile->devices->len, error) &&
	       check_overlays(profile, parts->user, error);
}
