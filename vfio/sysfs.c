/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading below a directory descriptor, and never outside it.
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
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <dirent.h>

#include "vfio/sysfs.h"

#define ATTRIBUTE_MAX 4096 /* the kernel gives an attribute one page */
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
	return g_strdup_printf("/proc/self/fd/%d%s%s", fd, rest ? "/" : "", rest ? rest : "");
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
	gsize length = top ? strlen(top) : 0;

	if (!top || !target)
		return FALSE;
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
	return missing ? open_verified(dirfd, path, flags) : (int)fd;
}

/* Fills @buffer until the end of the file. Returns: its length, or -1 with errno set */
static gssize read_whole(int fd, char *buffer, gsize size)
{
	gsize length = 0;

	while (length < size) {
		gssize n = read(fd, buffer + length, size - length);

		if (n == 0)
			break;
		if (n > 0)
			length += (gsize)n;
		else if (errno != EINTR)
			return -1;
	}
	return (gssize)length;
}

static gssize read_attribute(int dirfd, const char *path, char *buffer, gsize size)
{
	g_auto(HvrFd) fd = hvr_open_beneath(dirfd, path, O_RDONLY | O_NONBLOCK);

	return fd < 0 ? -1 : read_whole(fd, buffer, size);
}

char *hvr_sysfs_read(int dirfd, const char *path, GError **error)
{
	char buffer[ATTRIBUTE_MAX + 1];
	gssize length = read_attribute(dirfd, path, buffer, sizeof(buffer));
	int saved = errno;

	if (length < 0) {
		g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(saved),
			    "cannot read '%s': %s", path, g_strerror(saved));
		return NULL;
	}
	if (length > ATTRIBUTE_MAX) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			    "cannot read '%s': longer than %d bytes", path, ATTRIBUTE_MAX);
		return NULL;
	}
	return g_strndup(buffer, (gsize)length);
}

char *hvr_sysfs_read_line(int dirfd, const char *path)
{
	char *text = hvr_sysfs_read(dirfd, path, NULL);
	gsize length = text ? strlen(text) : 0;

	if (length > 0 && text[length - 1] == '\n')
		text[length - 1] = '\0';
	return text;
}

gboolean hvr_sysfs_read_number(int dirfd, const char *path, int base, guint64 *out_value)
{
	g_autofree char *line = hvr_sysfs_read_line(dirfd, path);
	const char *digits = line;
	guint64 value;

	if (!line)
		return FALSE;
	if (base == 16 && g_str_has_prefix(line, "0x"))
		digits += strlen("0x");
	if (!g_ascii_string_to_unsigned(digits, (guint)base, 0, G_MAXUINT64, &value, NULL))
		return FALSE;

	*out_value = value;
	return TRUE;
}

char *hvr_sysfs_link_name(int dirfd, const char *path)
{
	char target[PATH_MAX];
	const char *slash;
	gssize length;
	g_auto(HvrFd) link = hvr_open_beneath(dirfd, path, O_PATH | O_NOFOLLOW);

	if (link < 0)
		return NULL;
	length = readlinkat(link, "", target, sizeof(target) - 1);
	if (length <= 0)
		return NULL;

	target[length] = '\0';
	slash = strrchr(target, '/');
	return g_strdup(slash ? slash + 1 : target);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *hvr_sysfs_list(int dirfd, const char *path)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_auto(HvrFd) fd = hvr_open_beneath(dirfd, path, O_RDONLY | O_DIRECTORY);
	const struct dirent *entry;
	DIR *folder;

	if (fd < 0)
		return g_steal_pointer(&names);
	folder = fdopendir(fd);
	if (!folder)
		return g_steal_pointer(&names);

	g_steal_fd(&fd); /* closedir() closes it */
	while ((entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			g_ptr_array_add(names, g_strdup(entry->d_name));
	closedir(folder);

	g_ptr_array_sort(names, compare_names);
	return g_steal_pointer(&names);
}

gboolean hvr_sysfs_exists(int dirfd, const char *path)
{
	g_auto(HvrFd) fd = hvr_open_beneath(dirfd, path, O_PATH | O_NOFOLLOW);

	return fd >= 0;
}
