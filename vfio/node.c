/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/vfio/N: wait for it, own it, and know when udev has had its say.
 */
#include "vfio/node.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <libudev.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfio/error.h"
#include "vfio/fd.h"
#include "vfio/sysfs.h"

/* Waits for @fd to become readable; FALSE at the deadline (monotonic, microseconds). */
static gboolean readable_before(int fd, gint64 deadline_us)
{
	for (;;) {
		gint64 left_ms = (deadline_us - g_get_monotonic_time() + 999) / 1000;
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		int ready = poll(&poller, 1, (int)MAX(left_ms, 0));
		if (ready >= 0 || errno != EINTR)
			return ready > 0;
	}
}

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
		if (notify < 0 || !readable_before(notify, deadline_us))
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

struct HvrUdevWatch {
	struct udev *udev;
	struct udev_monitor *monitor;
};

HvrUdevWatch *hvr_udev_watch_new(const HvrHost *host, const char *subsystem)
{
	if (host->run < 0 || !hvr_sysfs_exists(host->run, "udev/control"))
		return NULL;

	HvrUdevWatch *watch = g_new0(HvrUdevWatch, 1);
	watch->udev = udev_new();
	if (watch->udev)
		watch->monitor = udev_monitor_new_from_netlink(watch->udev, "udev");
	if (!watch->monitor ||
	    udev_monitor_filter_add_match_subsystem_devtype(watch->monitor, subsystem, NULL) < 0 ||
	    udev_monitor_enable_receiving(watch->monitor) < 0)
		g_clear_pointer(&watch, hvr_udev_watch_free);
	return watch;
}

void hvr_udev_watch_free(HvrUdevWatch *watch)
{
	if (!watch)
		return;
	if (watch->monitor)
		udev_monitor_unref(watch->monitor);
	if (watch->udev)
		udev_unref(watch->udev);
	g_free(watch);
}

gboolean hvr_udev_watch_wait(HvrUdevWatch *watch, const char *name, guint timeout_ms)
{
	gint64 deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;

	while (watch) {
		if (!readable_before(udev_monitor_get_fd(watch->monitor), deadline_us))
			return FALSE;
		struct udev_device *device = udev_monitor_receive_device(watch->monitor);
		gboolean seen = device && g_strcmp0(udev_device_get_sysname(device), name) == 0;
		if (device)
			udev_device_unref(device);
		if (seen)
			break;
	}
	return TRUE;
}
