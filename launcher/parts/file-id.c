/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/parts/file-id.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "vfio/fd.h"

/* A HvrAsUserStep, two of each path: itself, and the folder that it is in. */
static int find(gpointer data, guint i, int *out_fd)
{
	const char *path = g_array_index((GArray *)data, HvrNamedFile, i / 2).path;
	g_autofree char *folder = g_path_get_dirname(path);

	*out_fd = open(i % 2 ? folder : path, O_PATH | O_CLOEXEC);
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

static void file_clear(gpointer data)
{
	HvrNamedFile *file = data;

	g_free(file->key);
	g_free(file->id.name);
}

GArray *hvr_files_new(void)
{
	GArray *files = g_array_new(FALSE, TRUE, sizeof(HvrNamedFile));

	g_array_set_clear_func(files, file_clear);
	return files;
}

void hvr_files_add(GArray *files, char *key, const char *path, gboolean writes)
{
	const HvrNamedFile file = { .key = key, .path = path, .writes = writes };

	if (path)
		g_array_append_val(files, file);
	else
		g_free(key);
}

void hvr_files_find(GArray *files, const HvrUser *user)
{
	guint n = files->len;
	g_autofree HvrAsUserResult *results = g_new0(HvrAsUserResult, 2 * (gsize)n);
	const HvrAsUser how = { .user = user, .step = find, .data = files, .keep = -1 };

	if (!n)
		return;
	hvr_as_user(&how, results, 2 * n);
	for (guint i = 0; i < n; i++) {
		HvrNamedFile *file = &g_array_index(files, HvrNamedFile, i);

		file->id = (HvrFileId){ .name = g_path_get_basename(file->path) };
		look(&results[2 * i], &file->id.device, &file->id.inode);
		look(&results[2 * i + 1], &file->id.folder_device, &file->id.folder);
	}
}

gboolean hvr_file_id_equal(const HvrFileId *a, const HvrFileId *b)
{
	if (a->inode || b->inode)
		return a->inode == b->inode && a->device == b->device;
	return a->folder && a->folder == b->folder && a->folder_device == b->folder_device &&
	       g_strcmp0(a->name, b->name) == 0;
}
