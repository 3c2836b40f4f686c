/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connecting to a socket by folder descriptor and name.
 *
 * sun_path holds 107 bytes, which a runtime folder below a long home can exceed, and a path would
 * be looked up again by name. /proc/self/fd/N/NAME is short and means the folder that was opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmp/client.h"
#include "qmp/connect.h"

static int fail(const char *name, int saved, GError **error)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "cannot connect to '%s': %s",
		    name, g_strerror(saved));
	return -1;
}

int hvr_qmp_connect(int dirfd, const char *name, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	gsize size = sizeof(address.sun_path);
	int fd, length;

	if (dirfd == AT_FDCWD)
		length = g_snprintf(address.sun_path, size, "/proc/self/cwd/%s", name);
	else
		length = g_snprintf(address.sun_path, size, "/proc/self/fd/%d/%s", dirfd, name);
	if (length < 0 || (gsize)length >= size)
		return fail(name, ENAMETOOLONG, error);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(name, errno, error);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int saved = errno;

		close(fd);
		return fail(name, saved, error);
	}
	return fd;
}

HvrQmpClient *hvr_qmp_client_connect(int dirfd, const char *name, GMainContext *context,
				     GError **error)
{
	int fd = hvr_qmp_connect(dirfd, name, error);

	if (fd < 0)
		return NULL;
	return hvr_qmp_client_new(fd, context);
}
