/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/parts/file-id.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "vfio/fd.h"

void hvr_file_id_clear(HvrFileId *id)
{
	g_clear_pointer(&id->name, g_free);
}

/* A HvrAsUserStep, two of each path: itself, and the folder that it is in. */
static int find(gpointer data, guint i, int *out_fd)
{
	const char *const *paths = data;
	g_autofree char *folder = g_path_get_dirname(paths[i / 2]);

	*out_fd = open(i % 2 ? folder : paths[i / 2], O_PATH | O_CLOEXEC);
	return *out_fd < 0 ? errno : 0;
}

static void look(const HvrAsUserResult *result, guint64 *out_device, guint64 *out_inode)
{
	g_auto(HvrFd) fd = result->fd;
	struct statx stx;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &stx) < 0)
		return;
	*out_device = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	*out_inode = stx.stx_ino;
}

void hvr_file_ids(const HvrUser *user, const char *const *paths, HvrFileId *ids, guint n)
{
	g_autofree HvrAsUserResult *results = g_new0(HvrAsUserResult, 2 * (gsize)n);
	const HvrAsUser how = { .user = user, .step = find, .data = (gpointer)paths, .keep = -1 };

	hvr_as_user(&how, results, 2 * n);
	for (guint i = 0; i < n; i++) {
		HvrFileId *id = &ids[i];

		*id = (HvrFileId){ .name = g_path_get_basename(paths[i]) };
		look(&results[2 * i], &id->device, &id->inode);
		look(&results[2 * i + 1], &id->folder_device, &id->folder);
	}
}

gboolean hvr_file_id_equal(const HvrFileId *a, const HvrFileId *b)
{
	if (a->inode || b->inode)
		return a->inode == b->inode && a->device == b->device;
	return a->folder && a->folder == b->folder && a->folder_device == b->folder_device &&
	       g_strcmp0(a->name, b->name) == 0;
}
