/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening what others name.
 *
 * open(2) may do something by itself, so it is asked for as little as possible: no O_TRUNC, no
 * waiting, no controlling terminal. What was opened is looked at by its descriptor, and only then
 * emptied. A path may lead elsewhere a moment later; a descriptor does not.
 */
#include "launcher/process/open.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "launcher/process/blocked.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define NEVER_WAIT (O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

typedef struct {
	const HvrUser *user;
	const HvrOpen *opens;
} Job;

static const int flags_of[] = {
	[HVR_OPEN_READ] = O_RDONLY,
	[HVR_OPEN_READ_GUARDED] = O_RDONLY | O_NOFOLLOW,
	[HVR_OPEN_REPLACE] = O_WRONLY | O_CREAT | O_NOFOLLOW,
	[HVR_OPEN_WRITE] = O_WRONLY | O_NOFOLLOW,
	[HVR_OPEN_APPEND] = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW,
};

/* Is what @fd leads to of the kind that was asked for? Returns: 0, or the errno */
static int check_kind(int fd, HvrOpenHow how)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return errno;
	gboolean other = S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode);
	if (S_ISREG(st.st_mode) || (how == HVR_OPEN_APPEND && other))
		return 0;
	return EINVAL;
}

/* Nobody writes to it but root and @user. Returns: 0, or the errno */
static int check_guarded(int fd, const HvrUser *user)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return errno;
	if ((st.st_uid == 0 || st.st_uid == user->uid) && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return EPERM;
}

/* The folder is held while the file is opened in it. Returns: a descriptor, or -1 with errno */
static int open_guarded(const char *path, const HvrUser *user)
{
	g_autofree char *folder_path = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_auto(HvrFd) folder = open(folder_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	g_auto(HvrFd) fd = -1;

	if (folder < 0)
		return -1;
	fd = openat(folder, name, flags_of[HVR_OPEN_READ_GUARDED] | NEVER_WAIT);
	if (fd < 0)
		return -1;
	int problem = check_guarded(folder, user);
	if (!problem)
		problem = check_guarded(fd, user);
	errno = problem;
	return problem ? -1 : g_steal_fd(&fd);
}

/* A HvrAsUserStep. */
static int open_one(gpointer data, guint i, int *out_fd)
{
	const Job *job = data;
	const HvrOpen *wanted = &job->opens[i];
	g_auto(HvrFd) fd = -1;

	if (!wanted->path)
		return 0;
	if (wanted->how == HVR_OPEN_READ_GUARDED)
		fd = open_guarded(wanted->path, job->user);
	else
		fd = open(wanted->path, flags_of[wanted->how] | NEVER_WAIT, 0600);
	if (fd < 0)
		return errno;
	int problem = check_kind(fd, wanted->how);
	if (problem)
		return problem;
	if (wanted->how == HVR_OPEN_REPLACE && ftruncate(fd, 0) < 0)
		return errno;
	if (wanted->how != HVR_OPEN_APPEND &&
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0)
		return errno;
	*out_fd = g_steal_fd(&fd);
	return 0;
}

/* Believes nothing that came from a child. */
static void take(HvrOpen *open, HvrAsUserResult *result)
{
	g_auto(HvrFd) fd = result->fd;

	open->problem = result->problem;
	if (open->path && !open->problem)
		open->problem = fd < 0 ? EIO : check_kind(fd, open->how);
	open->fd = open->problem ? -1 : g_steal_fd(&fd);
}

gboolean hvr_open(const HvrUser *user, HvrOpen *opens, guint n)
{
	g_autofree HvrAsUserResult *results = g_new0(HvrAsUserResult, n);
	Job job = { .user = user, .opens = opens };
	const HvrAsUser how = { .user = user, .step = open_one, .data = &job, .keep = -1 };
	gboolean all = TRUE;

	hvr_as_user(&how, results, n);
	for (guint i = 0; i < n; i++) {
		take(&opens[i], &results[i]);
		all = all && opens[i].problem == 0;
	}
	return all;
}

/* A HvrAsUserStep. */
static int try_replace(gpointer data, guint i, int *out_fd)
{
	const char *path = data;
	g_autofree char *folder = g_path_get_dirname(path);
	g_auto(HvrFd) fd = open(path, flags_of[HVR_OPEN_WRITE] | NEVER_WAIT);

	if (fd >= 0)
		return check_kind(fd, HVR_OPEN_WRITE);
	if (errno != ENOENT)
		return errno;
	return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0 ? errno : 0;
}

gboolean hvr_open_could_replace(const HvrUser *user, HvrOpen *open)
{
	const HvrAsUser how = {
		.user = user, .step = try_replace, .data = (gpointer)open->path, .keep = -1
	};
	HvrAsUserResult result;

	hvr_as_user(&how, &result, 1);
	hvr_fd_close(result.fd);
	open->how = HVR_OPEN_REPLACE;
	open->fd = -1;
	open->problem = result.problem;
	return result.problem == 0;
}

const char *hvr_open_problem(const HvrOpen *open)
{
	gboolean reads = open->how == HVR_OPEN_READ || open->how == HVR_OPEN_READ_GUARDED;

	if (open->problem == ELOOP && open->how != HVR_OPEN_READ)
		return "it is a link, and none is followed here";
	if (open->problem == EPERM && open->how == HVR_OPEN_READ_GUARDED)
		return "others can write to it or its folder";
	if (open->how == HVR_OPEN_APPEND)
		return open->problem == EINVAL ? "it is no file, FIFO or character device"
					       : g_strerror(open->problem);
	if (open->problem == EINVAL || (!reads && open->problem == ENXIO))
		return "it is not a regular file";
	return g_strerror(open->problem);
}

static const char *verb_of(HvrOpenHow how)
{
	switch (how) {
	case HVR_OPEN_READ:
	case HVR_OPEN_READ_GUARDED:
		return "read";
	case HVR_OPEN_WRITE:
		return "write";
	default:
		return HVR_BLOCKED_CREATE;
	}
}

void hvr_open_fail(GError **error, int code, const char *what, const HvrUser *user,
		   const HvrOpen *open)
{
	gboolean reads = open->how == HVR_OPEN_READ || open->how == HVR_OPEN_READ_GUARDED;
	gboolean denied = open->problem == EACCES || open->problem == EPERM;
	const HvrBlockedFile file = { .code = code,
				      .what = what,
				      .verb = verb_of(open->how),
				      .path = open->path,
				      .problem = open->problem };

	if (hvr_blocked_is_missing(error, user, &file))
		return;
	g_autofree char *where = hvr_blocked_where(user, open->path, file.verb);
	g_set_error(error, HVR_LAUNCH_ERROR, denied ? HVR_LAUNCH_ERROR_PERMISSION : code,
		    "%s: user %s cannot %s '%s': %s%s", what, user->name, reads ? "read" : "write",
		    open->path, hvr_open_problem(open), where);
	if (!denied || !user->privileged)
		return;
	if (reads)
		hvr_error_hint(error, "root opens it as that user only: let %s read it",
			       user->name);
	else
		hvr_error_hint(error,
			       "root opens it as that user only: name a file in a folder of "
			       "%s",
			       user->name);
}
