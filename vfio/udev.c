/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events as udev sends them on: behind its rules, not before them.
 */
#include "vfio/udev.h"

#include <libudev.h>

#include "vfio/fd.h"
#include "vfio/tree.h"

struct HvrUdevWatch {
	struct udev *udev;
	struct udev_monitor *monitor;
};

HvrUdevWatch *hvr_udev_watch_new(const HvrHost *host, const char *subsystem)
{
	if (host->run < 0 || !hvr_tree_exists(host->run, "udev/control"))
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
		if (!hvr_fd_readable_before(udev_monitor_get_fd(watch->monitor), deadline_us))
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
