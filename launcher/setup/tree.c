/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The target may be an image that somebody else made: whoever writes there as root must not be led
 * elsewhere by its links. A folder is opened below the root (openat2, see vfio/tree.h), then all
 * that happens to a file happens by its bare name in that folder.
 */
#include "launcher/setup/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define LARGEST (1024 * 1024)

HvrSetupOwner hvr_setup_owner_self(mode_t mode)
{
	return (HvrSetupOwner){ .uid = geteuid(), .gid = getegid(), .mode = mode };
}

static gboolean fail(GError **error, int saved, const char *what, const char *path)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(saved), "cannot %s '%s': %s", what,
		    path, g_strerror(saved));
	return FALSE;
}

/* The folder that @path is in; -1 with errno. @out_name: the bare name in it */
static int open_parent(int target, const char *path, const char **out_name)
{
	g_autofree char *folder = g_path_get_dirname(path);
	const char *slash = strrchr(path, '/');

	*out_name = path;
	if (slash)
		*out_name = slash + 1;
	return hvr_open_beneath(target, folder, O_RDONLY | O_DIRECTORY);
}

static gboolean refuse(GError **error, const char *path, const char *what)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "'%s' is %s", path,
		    what);
	hvr_error_hint(error, "move it away, if it is not needed, and try again");
	return FALSE;
}

static gboolean read_all(int fd, const char *path, gsize size, char **out_text, GError **error)
{
	g_autofree char *text = g_malloc(size + 1);
	gssize length = hvr_fd_read_all(fd, text, size);

	if (length < 0)
		return fail(error, errno, "read", path);
	text[length] = '\0';
	if (strlen(text) != (gsize)length)
		return refuse(error, path, "no text file");
	*out_text = g_steal_pointer(&text);
	return TRUE;
}

/* A plain file, for reading; -1 with errno, ELOOP for a link, EINVAL for all else. It is looked at
 * before it is opened: a FIFO would be waited for, and some devices do something when opened. */
static int open_plain(int folder, const char *name, int flags, struct stat *out_st)
{
	g_auto(HvrFd) found = hvr_open_beneath(folder, name, O_PATH | flags);

	if (found < 0 || fstat(found, out_st) < 0)
		return -1;
	if (!S_ISREG(out_st->st_mode)) {
		errno = EINVAL;
		if (S_ISLNK(out_st->st_mode))
			errno = ELOOP;
		return -1;
	}
	g_autofree char *link = hvr_fd_path(found, NULL);
	return open(link, O_RDONLY | O_CLOEXEC);
}

gboolean hvr_setup_tree_read(int target, const char *path, char **out_text,
			     HvrSetupOwner *out_owner, GError **error)
{
	const char *name;
	struct stat st;
	g_auto(HvrFd) folder = open_parent(target, path, &name);
	g_auto(HvrFd) fd = -1;

	if (folder >= 0)
		fd = open_plain(folder, name, O_NOFOLLOW, &st);
	int saved = errno;
	if (fd < 0 && saved == ENOENT) {
		*out_text = NULL;
		return TRUE;
	}
	if (folder >= 0 && fd < 0 && saved == ELOOP)
		return refuse(error, path, "a symbolic link");
	if (folder >= 0 && fd < 0 && saved == EINVAL)
		return refuse(error, path, "no plain file");
	if (fd < 0)
		return fail(error, saved, "open", path);
	if (st.st_size > LARGEST)
		return refuse(error, path, "no small file");
	/* Under the other one it may be a file of this host's, which only root may read. */
	if (st.st_nlink > 1)
		return refuse(error, path, "a file that has another name too");
	if (out_owner)
		*out_owner = (HvrSetupOwner){ .uid = st.st_uid,
					      .gid = st.st_gid,
					      .mode = st.st_mode & 07777 };
	return read_all(fd, path, (gsize)st.st_size, out_text, error);
}

char *hvr_setup_tree_peek(int target, const char *path)
{
	struct stat st;
	g_auto(HvrFd) fd = open_plain(target, path, 0, &st);
	char *text = NULL;

	if (fd < 0 || st.st_size > LARGEST || !read_all(fd, path, (gsize)st.st_size, &text, NULL))
		return NULL;
	return text;
}

/* Never with setuid bits: owner and mode may come from the target, which anybody may have made. */
static gboolean fill(int fd, const char *text, const HvrSetupOwner *owner)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !hvr_fd_write_all(fd, text, strlen(text)))
		return FALSE;
	if ((st.st_uid != owner->uid || st.st_gid != owner->gid) &&
	    fchown(fd, owner->uid, owner->gid) < 0)
		return FALSE;
	return fchmod(fd, owner->mode & 0777) == 0 && fsync(fd) == 0;
}

gboolean hvr_setup_tree_write(int target, const char *path, const char *text,
			      const HvrSetupOwner *owner, GError **error)
{
	const char *name;
	g_auto(HvrFd) folder = open_parent(target, path, &name);
	if (folder < 0)
		return fail(error, errno, "open the folder of", path);

	/* A name with a dot in front: no tool takes it for one of its files meanwhile. */
	g_autofree char *temporary = g_strconcat(".", name, ".new", NULL);
	unlinkat(folder, temporary, 0);
	g_auto(HvrFd) fd = openat(folder, temporary,
				  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(error, errno, "create", path);
	if (fill(fd, text, owner) && renameat(folder, temporary, folder, name) == 0 &&
	    fsync(folder) == 0)
		return TRUE;
	fail(error, errno, "write", path);
	unlinkat(folder, temporary, 0);
	return FALSE;
}

gboolean hvr_setup_tree_remove(int target, const char *path, GError **error)
{
	const char *name;
	g_auto(HvrFd) folder = open_parent(target, path, &name);

	if (folder < 0 && errno == ENOENT)
		return TRUE;
	if (folder < 0)
		return fail(error, errno, "open the folder of", path);
	if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
		return fail(error, errno, "remove", path);
	return TRUE;
}

GPtrArray *hvr_setup_tree_missing(int target, const char *path)
{
	GPtrArray *missing = g_ptr_array_new_with_free_func(g_free);

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *folder = g_strndup(path, (gsize)(slash - path));
		if (hvr_tree_exists(target, folder))
			g_free(folder);
		else
			g_ptr_array_add(missing, folder);
	}
	return missing;
}

gboolean hvr_setup_tree_make_folder(int target, const char *path, GError **error)
{
	const char *name;
	g_auto(HvrFd) folder = open_parent(target, path, &name);

	if (folder < 0)
		return fail(error, errno, "open the folder of", path);
	/* For all to read, whatever our umask says; not by chmod(2), as by then the name may be
	 * somebody else's link. */
	mode_t before = umask(022);
	int made = mkdirat(folder, name, 0755), saved = errno;
	umask(before);
	if (made < 0 && saved != EEXIST)
		return fail(error, saved, "make the folder", path);
	return TRUE;
}

void hvr_setup_tree_remove_folder(int target, const char *path)
{
	const char *name;
	g_auto(HvrFd) folder = open_parent(target, path, &name);

	if (folder >= 0 && unlinkat(folder, name, AT_REMOVEDIR) < 0)
		g_debug("'%s' stays: %s", path, g_strerror(errno));
}
