/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process without a login session has no XDG_RUNTIME_DIR, and one of "su" may have somebody
 * else's. Neither is a reason to have no VM: the host knows the user all the same.
 */
#include "launcher/runtime/home.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vfio/fd.h"

static gboolean may_write(int fd)
{
	return faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

/* The user's and nobody else's, as pam_systemd(8) makes it. */
static gboolean is_private(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

/* Root's, and a name in it is safe from all but its owner. */
static gboolean is_shared_well(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == 0 && (st.st_mode & S_ISVTX);
}

/* Takes @fd. */
static void take(int fd, const char *folder, const char *name, HvrHome *out_home)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	*out_home = (HvrHome){ .parent = fd,
			       .name = g_intern_string(name),
			       .path = g_intern_string(path) };
}

gboolean hvr_home_find(const char *own, int run, const char *run_path, HvrHome *out_home)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	g_autofree char *uid = g_strdup_printf("%u", geteuid());
	g_autofree char *user = g_build_filename("user", uid, NULL);
	g_autofree char *user_path = g_build_filename(run_path, user, NULL);
	g_autofree char *users_path = g_build_filename(run_path, HVR_HOME_USERS, NULL);
	g_auto(HvrFd) told = own && g_path_is_absolute(own) ? open(own, flags) : -1;
	g_auto(HvrFd) login = openat(run, user, flags | O_NOFOLLOW);
	g_auto(HvrFd) users = openat(run, HVR_HOME_USERS, flags | O_NOFOLLOW);

	if (told >= 0 && may_write(told))
		take(g_steal_fd(&told), own, "hailo-vm-run", out_home);
	else if (login >= 0 && is_private(login) && may_write(login))
		take(g_steal_fd(&login), user_path, "hailo-vm-run", out_home);
	else if (users >= 0 && is_shared_well(users) && may_write(users))
		take(g_steal_fd(&users), users_path, uid, out_home);
	else
		return FALSE;
	return TRUE;
}
