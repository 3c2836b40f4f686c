/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder is whoever's: a file system in user space answers when it likes. So it is read where the
 * file was asked for, in the child, which passes on one name in a file in memory.
 */
#include "launcher/process/neighbour.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "launcher/report/nearest.h"
#include "vfio/fd.h"

/* More are not looked at. */
#define MOST_NAMES 2000

/* Those that begin with a dot are hidden, unless what was written does. */
static GPtrArray *read_names(DIR *folder, gboolean hidden)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	const struct dirent *entry;

	while (names->len < MOST_NAMES && (entry = readdir(folder)))
		if ((entry->d_name[0] == '.') == hidden && !g_str_equal(entry->d_name, ".") &&
		    !g_str_equal(entry->d_name, ".."))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	g_ptr_array_add(names, NULL);
	return names;
}

/* A HvrAsUserStep. */
static int look(gpointer data, guint i, int *out_fd)
{
	const char *path = data;
	g_autofree char *folder_path = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	DIR *folder = opendir(folder_path);

	if (!folder)
		return errno;
	g_autoptr(GPtrArray) names = read_names(folder, name[0] == '.');
	closedir(folder);
	const char *near = hvr_nearest(name, (const char *const *)names->pdata);
	g_auto(HvrFd) answer = memfd_create("neighbour", MFD_CLOEXEC);
	if (!near || answer < 0 || !hvr_fd_write_all(answer, near, strlen(near)))
		return ENOENT;
	*out_fd = g_steal_fd(&answer);
	return 0;
}

char *hvr_neighbour(const HvrUser *user, const char *path)
{
	const HvrAsUser how = { .user = user, .step = look, .data = (gpointer)path, .keep = -1 };
	HvrAsUserResult result;
	char name[NAME_MAX + 1];

	hvr_as_user(&how, &result, 1);
	g_auto(HvrFd) answer = result.fd;
	if (result.problem || answer < 0)
		return NULL;
	ssize_t length = pread(answer, name, sizeof(name), 0);
	if (length <= 0 || (size_t)length >= sizeof(name))
		return NULL;
	return g_strndup(name, (gsize)length);
}
