/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes by which VFIO lets a program have a card:
 *
 *   GROUP   /dev/vfio/14             class/vfio/14            all functions of IOMMU group 14
 *   CDEV    /dev/vfio/devices/vfio3  class/vfio-dev/vfio3     one function, by iommufd
 *
 * A group has a single opener, who is told whether it is viable; a CDEV may be opened by many, and
 * only one of them can bind it.
 */
#include "vfio/access.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfio/error.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

/* A close is looked for at least so often. */
#define CLOSE_BEAT_US 100000

typedef struct {
	const char *folder; /* of the nodes, below /dev */
	const char *prefix; /* of the name, in front of the number */
	const char *subsystem;
} Naming;

static const Naming namings[] = {
	[HVR_ACCESS_NONE] = { .folder = "", .prefix = "", .subsystem = "" },
	[HVR_ACCESS_GROUP] = { .folder = "vfio", .prefix = "", .subsystem = "vfio" },
	[HVR_ACCESS_CDEV] = { .folder = "vfio/devices", .prefix = "vfio", .subsystem = "vfio-dev" },
};

HvrAccess hvr_access_of(const HvrPciFunction *function)
{
	return hvr_access_of_group(function->group);
}

HvrAccess hvr_access_of_group(int group)
{
	HvrAccess access = { .kind = HVR_ACCESS_GROUP, .number = group };

	if (group < 0)
		access.kind = HVR_ACCESS_NONE;
	return access;
}

char *hvr_access_path(HvrAccess access)
{
	g_autofree char *name = NULL;

	if (access.kind == HVR_ACCESS_NONE)
		return g_strdup("");
	name = hvr_access_name(access);
	return g_strconcat(namings[access.kind].folder, "/", name, NULL);
}

HvrAccess hvr_access_parse(const char *path)
{
	for (HvrAccessKind kind = HVR_ACCESS_GROUP; kind < G_N_ELEMENTS(namings); kind++) {
		const Naming *naming = &namings[kind];
		g_autofree char *start = g_strconcat(naming->folder, "/", naming->prefix, NULL);
		guint64 number = 0;

		if (g_str_has_prefix(path, start) &&
		    g_ascii_string_to_unsigned(path + strlen(start), 10, 0, G_MAXINT, &number,
					       NULL))
			return (HvrAccess){ .kind = kind, .number = (int)number };
	}
	return (HvrAccess){ .kind = HVR_ACCESS_NONE };
}

const char *hvr_access_subsystem(HvrAccess access)
{
	return namings[access.kind].subsystem;
}

char *hvr_access_name(HvrAccess access)
{
	return g_strdup_printf("%s%d", namings[access.kind].prefix, access.number);
}

int hvr_access_open(const HvrHost *host, HvrAccess access, int flags)
{
	char *path = hvr_access_path(access);
	int fd = hvr_open_beneath(host->dev, path, flags);
	int saved = errno;

	g_free(path);
	errno = saved;
	return fd;
}

gboolean hvr_access_exists(const HvrHost *host, HvrAccess access)
{
	g_autofree char *path = hvr_access_path(access);

	return hvr_tree_exists(host->dev, path);
}

gboolean hvr_access_is_usable(const HvrHost *host, HvrAccess access)
{
	g_autofree char *path = hvr_access_path(access);

	return faccessat(host->dev, path, R_OK | W_OK, AT_EACCESS) == 0;
}

/* The folders of the nodes may themselves come with the first node, so all from /dev on are
 * watched. */
static int watch_folders(const HvrHost *host, HvrAccess access)
{
	HvrFd notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	const char *folders[] = { ".", "vfio", namings[access.kind].folder };

	for (guint i = 0; notify >= 0 && i < G_N_ELEMENTS(folders); i++) {
		g_auto(HvrFd) fd = hvr_open_beneath(host->dev, folders[i], O_PATH | O_DIRECTORY);
		g_autofree char *by_fd = hvr_fd_path(fd, NULL);
		if (fd >= 0)
			inotify_add_watch(notify, by_fd, IN_CREATE | IN_MOVED_TO);
	}
	return notify;
}

gboolean hvr_access_wait(const HvrHost *host, HvrAccess access, guint timeout_ms, GError **error)
{
	if (hvr_access_exists(host, access))
		return TRUE;

	gint64 deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
	for (;;) {
		/* Made anew each time: a folder may have come since. Then looked at, then slept. */
		g_auto(HvrFd) notify = watch_folders(host, access);
		if (hvr_access_exists(host, access))
			return TRUE;
		if (notify < 0 || !hvr_fd_readable_before(notify, deadline_us))
			break;
	}
	g_autofree char *path = hvr_access_path(access);
	g_set_error(error, HVR_VFIO_ERROR, HVR_VFIO_ERROR_TIMEOUT,
		    "the node %s did not appear within %g s", path, timeout_ms / 1000.0);
	return FALSE;
}

gboolean hvr_access_is_open(const HvrHost *host, HvrAccess access, gboolean *out_open,
			    GError **error)
{
	HvrAccessStatus status = HVR_ACCESS_NO_NODE;
	g_autoptr(GError) cause = NULL;
	gboolean answered = access.kind == HVR_ACCESS_NONE ||
			    host->kernel->access_status(host, access, &status, &cause);

	*out_open = status == HVR_ACCESS_IN_USE;
	if (answered || g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

static int watch_close(const HvrHost *host, HvrAccess access)
{
	g_auto(HvrFd) node = hvr_access_open(host, access, O_PATH | O_NOFOLLOW);
	g_autofree char *by_fd = hvr_fd_path(node, NULL);
	HvrFd notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (notify >= 0 && node >= 0)
		inotify_add_watch(notify, by_fd, IN_CLOSE);
	return notify;
}

/* A notify of -1 is never readable. */
static void wait_for_close(int notify, gint64 until_us)
{
	char events[4096];
	gint64 beat_us = g_get_monotonic_time() + CLOSE_BEAT_US;

	if (hvr_fd_readable_before(notify, MIN(until_us, beat_us)))
		(void)!read(notify, events, sizeof(events));
}

gboolean hvr_access_wait_closed(const HvrHost *host, HvrAccess access, gint64 until_us,
				gboolean *out_open, GError **error)
{
	g_auto(HvrFd) notify = watch_close(host, access);

	for (;;) {
		if (!hvr_access_is_open(host, access, out_open, error))
			return FALSE;
		if (!*out_open || g_get_monotonic_time() >= until_us)
			return TRUE;
		wait_for_close(notify, until_us);
	}
}

gboolean hvr_access_is_owned(const HvrHost *host, HvrAccess access, const HvrNodeOwner *owner)
{
	g_autofree char *path = hvr_access_path(access);
	struct stat st;

	return fstatat(host->dev, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == owner->uid &&
	       st.st_gid == owner->gid && (st.st_mode & ALLPERMS) == owner->mode;
}

static gboolean group_status(const HvrHost *host, HvrAccess access, HvrAccessStatus *out_status,
			     GError **error)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	g_auto(HvrFd) fd = hvr_access_open(host, access, O_RDWR);

	if (fd < 0 && errno == EBUSY) {
		*out_status = HVR_ACCESS_IN_USE;
		return TRUE;
	}
	if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO)) {
		*out_status = HVR_ACCESS_NO_NODE;
		return TRUE;
	}
	if (fd < 0 || ioctl(fd, VFIO_GROUP_GET_STATUS, &status) < 0) {
		int saved = errno;
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
			    "cannot ask VFIO for the status of group %d: %s", access.number,
			    g_strerror(saved));
		return FALSE;
	}
	if (status.flags & VFIO_GROUP_FLAGS_VIABLE)
		*out_status = HVR_ACCESS_VIABLE;
	else
		*out_status = HVR_ACCESS_NOT_VIABLE;
	return TRUE;
}

gboolean hvr_access_status(const HvrHost *host, HvrAccess access, HvrAccessStatus *out_status,
			   GError **error)
{
	if (access.kind == HVR_ACCESS_GROUP)
		return group_status(host, access, out_status, error);
	if (hvr_access_exists(host, access)) {
		g_autofree char *path = hvr_access_path(access);
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			    "VFIO does not tell who has the node %s open", path);
		return FALSE;
	}
	*out_status = HVR_ACCESS_NO_NODE;
	return TRUE;
}

int hvr_access_may_open(const HvrHost *host, const char *node)
{
	return faccessat(host->dev, node, R_OK | W_OK, AT_EACCESS) == 0 ? 0 : errno;
}

gboolean hvr_access_own(const HvrHost *host, HvrAccess access, const HvrNodeOwner *owner,
			GError **error)
{
	g_autofree char *path = hvr_access_path(access);
	g_auto(HvrFd) fd = hvr_access_open(host, access, O_PATH | O_NOFOLLOW);
	g_autofree char *by_fd = hvr_fd_path(fd, NULL);
	struct stat st = { .st_mode = 0 };
	gboolean seen = fd >= 0 && fstat(fd, &st) == 0;

	/* By /proc: fchmod(2) refuses an O_PATH descriptor. The target is what was checked. */
	if (seen && !S_ISLNK(st.st_mode) && chown(by_fd, owner->uid, owner->gid) == 0 &&
	    chmod(by_fd, owner->mode) == 0)
		return TRUE;
	int saved = seen && S_ISLNK(st.st_mode) ? ELOOP : errno;
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "cannot own the node %s: %s",
		    path, g_strerror(saved));
	return FALSE;
}
