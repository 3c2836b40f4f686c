/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that must survive a crash, in a folder that nobody else can reach into.
 */
#include "launcher/runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "vfio/fd.h"

static int fail(GError **error, int saved, const char *what, const char *name)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "cannot %s '%s': %s", what,
		    name, g_strerror(saved));
	return -1;
}

/* Ours alone, or not used at all. */
static gboolean check_private(int fd, const char *name, GError **error)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "the runtime folder '%s' is not private to user %u", name, geteuid());
	hvr_error_hint(error, "remove it if you do not know where it comes from, and try again");
	return FALSE;
}

int hvr_runtime_open_folder(int dir, const char *name, GError **error)
{
	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return fail(error, errno, "make the folder", name);

	g_auto(HvrFd) fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(error, errno, "open the folder", name);
	if (!check_private(fd, name, error))
		return -1;
	return g_steal_fd(&fd);
}

int hvr_runtime_open(int parent, const char *name, GError **error)
{
	static const char *const parts[] = { "devices", "locks", "vms", "ended" };
	g_auto(HvrFd) dir = hvr_runtime_open_folder(parent, name, error);

	for (guint i = 0; dir >= 0 && i < G_N_ELEMENTS(parts); i++) {
		g_auto(HvrFd) part = hvr_runtime_open_folder(dir, parts[i], error);
		if (part < 0)
			return -1;
	}
	return g_steal_fd(&dir);
}

gboolean hvr_runtime_replace(int dir, const char *name, const char *text, GError **error)
{
	return hvr_runtime_replace_mode(dir, name, text, 0600, error);
}

gboolean hvr_runtime_replace_mode(int dir, const char *name, const char *text, mode_t mode,
				  GError **error)
{
	g_autofree char *temporary = g_strconcat(".", name, ".new", NULL);

	/* What a crash left half written was never the file: its name tells. */
	unlinkat(dir, temporary, 0);
	g_auto(HvrFd) fd =
		openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		fail(error, errno, "create", name);
		return FALSE;
	}
	/* Whatever the umask is. */
	if (fchmod(fd, mode) < 0 || !hvr_fd_write_all(fd, text, strlen(text)) || fsync(fd) < 0 ||
	    renameat(dir, temporary, dir, name) < 0 || fsync(dir) < 0) {
		fail(error, errno, "write", name);
		unlinkat(dir, temporary, 0);
		return FALSE;
	}
	return TRUE;
}

gboolean hvr_runtime_remove(int dir, const char *name, GError **error)
{
	if ((unlinkat(dir, name, 0) == 0 || errno == ENOENT) && fsync(dir) == 0)
		return TRUE;
	fail(error, errno, "remove", name);
	return FALSE;
}

int hvr_runtime_listen(int dir, const char *name, GError **error)
{
	g_auto(HvrFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_autofree char *path = hvr_fd_path(dir, name);

	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path))
		return fail(error, ENAMETOOLONG, "listen on", name);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchmodat(dir, name, 0600, 0) < 0 || listen(fd, 8) < 0)
		return fail(error, errno, "listen on", name);
	return g_steal_fd(&fd);
}
