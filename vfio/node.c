/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/vfio/N: wait for it, and own it.
 */
#include "vfio/node.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfio/error.h"
#include "vfio/fd.h"
#include "vfio/sysfs.h"

/* The folder of the nodes may itself come with the first node, so /dev is watched with it. */
static int watch_nodes(const HvrHost *host)
{
	HvrFd notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	const char *folders[] = { ".", "vfio" };

	for (guint i = 0; notify >= 0 && i < G_N_ELEMENTS(folders); i++) {
		g_auto(HvrFd) fd = hvr_open_beneath(host->dev, folders[i], O_PATH | O_DIRECTORY);
		g_autofree char *by_fd = hvr_fd_path(fd, NULL);
		if (fd >= 0)
			inotify_add_watch(notify, by_fd, IN_CREATE | IN_MOVED_TO);
	}
	return notify;
}

gboolean hvr_node_wait(const HvrHost *host, int group, guint timeout_ms, GError **error)
{
	g_autofree char *path = g_strdup_printf("vfio/%d", group);
	if (hvr_sysfs_exists(host->dev, path))
		return TRUE;

	gint64 deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	for (;;) {
		/* Made anew each time: the folder may have come since. Then looked at, then slept.
		 */
		g_auto(HvrFd) notify = watch_nodes(host);
		if (hvr_sysfs_exists(host->dev, path))
			return TRUE;
		if (notify < 0 || !hvr_fd_readable_before(notify, deadline_us))
			break;
	}
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT,
		    "the node %s did not appear within %u ms", path, timeout_ms);
	return FALSE;
}

gboolean hvr_node_own(const HvrHost *host, int group, uid_t uid, gid_t gid, mode_t mode,
		      GError **error)
{
	g_autofree char *path = g_strdup_printf("vfio/%d", group);
	g_auto(HvrFd) fd = hvr_open_beneath(host->dev, path, O_PATH | O_NOFOLLOW);
	g_autofree char *by_fd = hvr_fd_path(fd, NULL);
	struct stat st = { 0 };
	int saved = fd < 0 || fstat(fd, &st) < 0 ? errno : 0;

	if (!saved && S_ISLNK(st.st_mode))
		saved = ELOOP;
	/* Through /proc: fchmod(2) refuses an O_PATH descriptor. The target is what was checked. */
	if (!saved && chown(by_fd, uid, gid) < 0)
		saved = errno;
	if (!saved && chmod(by_fd, mode) < 0)
		saved = errno;
	if (!saved)
		return TRUE;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "cannot own the node %s: %s",
		    path, g_strerror(saved));
	return FALSE;
}

gboolean hvr_node_is_owned(const HvrHost *host, int group, uid_t uid, gid_t gid, mode_t mode)
{
	g_autofree char *path = g_strdup_printf("vfio/%d", group);
	struct stat st;

	return fstatat(host->dev, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == uid &&
	       st.st_gid == gid && (st.st_mode & ALLPERMS) == mode;
}
