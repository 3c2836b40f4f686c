/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening below a directory descriptor, and never outside it.
 *
 * sysfs is full of links with ".." in them, which all stay below /sys; a fake or captured tree
 * may hold anything. openat2(2) with RESOLVE_BENEATH follows the first kind and refuses the rest,
 * so one piece of code reads both. Two things about it need care:
 *
 *  - With ".." on the way it fails with EAGAIN when anything at all was renamed or mounted on the
 *    machine meanwhile. That says nothing about this path: try again.
 *  - Where it does not exist (valgrind, old seccomp filters: ENOSYS), the path is looked up
 *    without being opened, and opened only when the kernel says that it lies below the root.
 */
#include "vfio/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_ATTEMPTS 100

void hvr_fd_close(HvrFd fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

char *hvr_fd_path(int fd, const char *rest)
{
	/* Not the host's state but the kernel's name for a descriptor of our own, hence absolute.
	 */
	if (!rest)
		return g_strdup_printf("/proc/self/fd/%d", fd);
	return g_strdup_printf("/proc/self/fd/%d/%s", fd, rest);
}

/* Where an open descriptor leads, as the kernel sees it now. */
static char *descriptor_target(int fd)
{
	g_autofree char *link = hvr_fd_path(fd, NULL);

	return g_file_read_link(link, NULL);
}

static gboolean is_beneath(int root, int fd)
{
	g_autofree char *top = descriptor_target(root);
	g_autofree char *target = descriptor_target(fd);

	if (!top || !target)
		return FALSE;
	gsize length = strlen(top);
	while (length > 0 && top[length - 1] == '/')
		length--;
	return strncmp(target, top, length) == 0 &&
	       (target[length] == '/' || target[length] == '\0');
}

static int open_verified(int dirfd, const char *path, int flags)
{
	g_auto(HvrFd) found = openat(dirfd, path, O_PATH | O_CLOEXEC | (flags & O_NOFOLLOW));
	g_autofree char *link = NULL;

	if (found < 0)
		return -1;
	if (*path == '/' || !is_beneath(dirfd, found)) {
		errno = EXDEV;
		return -1;
	}
	if (flags & O_PATH)
		return g_steal_fd(&found);

	link = hvr_fd_path(found, NULL);
	return open(link, (flags & ~O_NOFOLLOW) | O_CLOEXEC);
}

int hvr_open_beneath(int dirfd, const char *path, int flags)
{
	static gboolean missing; /* asked once: the answer is the kernel's, and does not change */
	struct open_how how = {
		.flags = (guint64)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;

	for (guint i = 0; i < OPEN_ATTEMPTS && !missing; i++) {
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	if (fd < 0 && !missing)
		missing = errno == ENOSYS;
	if (missing)
		return open_verified(dirfd, path, flags);
	return (int)fd;
}

gssize hvr_fd_read_all(int fd, void *buffer, gsize size)
{
	gsize length = 0;

	while (length < size) {
		gssize n = read(fd, (char *)buffer + length, size - length);
		if (n == 0)
			break;
		if (n > 0)
			length += (gsize)n;
		else if (errno != EINTR)
			return -1;
	}
	return (gssize)length;
}

gboolean hvr_fd_write_all(int fd, const void *bytes, gsize length)
{
	for (gsize done = 0; done < length;) {
		gssize n = write(fd, (const char *)bytes + done, length - done);
		struct pollfd wait = { .fd = fd, .events = POLLOUT };
		if (n >= 0)
			done += (gsize)n;
		else if (errno == EAGAIN)
			poll(&wait, 1, -1);
		else if (errno != EINTR)
			return FALSE;
	}
	return TRUE;
}

gboolean hvr_fd_readable_before(int fd, gint64 deadline_us)
{
	for (;;) {
		gint64 left_ms = (deadline_us - g_get_monotonic_time() + 999) / 1000;
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		int ready = poll(&poller, 1, (int)MAX(left_ms, 0));
		if (ready >= 0 || errno != EINTR)
			return ready > 0;
	}
}
