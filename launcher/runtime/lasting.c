/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/runtime/lasting.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "vfio/fd.h"

#define STATE_FOLDER "var/lib"
#define NAME	     "hailo-vm-run"
#define LOCK_FILE    ".lock"

static int fail(const char *what, GError **error)
{
	int saved = errno;

	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved),
		    "cannot %s " HVR_LASTING_PATH ": %s", what, g_strerror(saved));
	return -1;
}

/* What somebody else could have written is not believed. */
static gboolean check_owner(int fd, GError **error)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
	    (st.st_mode & 022) == 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    HVR_LASTING_PATH " is not root's alone to write");
	hvr_error_hint(error, "see who wrote there, then: chown root: and chmod go-w");
	return FALSE;
}

static int open_one(int parent, const char *name, gboolean create, GError **error)
{
	gboolean made = create && mkdirat(parent, name, 0755) == 0;

	if (create && !made && errno != EEXIST)
		return fail("make", error);
	g_auto(HvrFd) fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !create)
		return -1;
	if (fd < 0)
		return fail("open", error);
	/* Whatever the umask is. */
	if (made && (fchmod(fd, 0755) < 0 || fsync(parent) < 0))
		return fail("make", error);
	if (!check_owner(fd, error))
		return -1;
	return g_steal_fd(&fd);
}

int hvr_lasting_open(const HvrContext *context, const char *part, gboolean create, GError **error)
{
	g_auto(HvrFd) parent = -1;

	if (create && context->captured) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "a captured tree is only looked at");
		return -1;
	}
	parent = hvr_open_beneath(context->host.root, STATE_FOLDER, O_RDONLY | O_DIRECTORY);
	if (parent < 0)
		return create ? fail("make", error) : -1;
	g_auto(HvrFd) folder = open_one(parent, NAME, create, error);
	if (folder < 0 || !part)
		return g_steal_fd(&folder);
	return open_one(folder, part, create, error);
}

int hvr_lasting_lock(int folder, GError **error)
{
	g_auto(HvrFd) fd =
		openat(folder, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result;

	if (fd < 0)
		return fail("lock", error);
	do
		result = flock(fd, LOCK_EX);
	while (result < 0 && errno == EINTR);
	if (result < 0)
		return fail("lock", error);
	return g_steal_fd(&fd);
}

char *hvr_lasting_read(int folder, const char *name, gsize most)
{
	g_auto(HvrFd) fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	g_autofree char *text = g_malloc(most + 1);
	gssize length = fd < 0 ? -1 : hvr_fd_read_all(fd, text, most + 1);

	if (length < 0 || (gsize)length > most)
		return NULL;
	text[length] = '\0';
	return g_steal_pointer(&text);
}
