/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file appears whole or not at all: it is written under a name of its own in the same folder,
 * which is held by a descriptor, and renamed when it is done. The rename replaces nothing. All that
 * is done to the folder is done as the file's user, who may do no more there than they may.
 */
#include "launcher/parts/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/process/asuser.h"
#include "launcher/process/blocked.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

/* @where: of hvr_blocked_where() */
static gboolean fail_at(GError **error, int saved, const char *what, const char *path,
			const char *where)
{
	HvrLaunchError code = HVR_LAUNCH_ERROR_PROFILE;

	if (saved == EACCES || saved == EPERM || saved == EROFS)
		code = HVR_LAUNCH_ERROR_PERMISSION;
	g_set_error(error, HVR_LAUNCH_ERROR, code, "cannot %s '%s': %s%s", what, path,
		    g_strerror(saved), where);
	return FALSE;
}

static gboolean fail(GError **error, int saved, const char *what, const char *path)
{
	return fail_at(error, saved, what, path, "");
}

/* What a child needs to know of a file. */
typedef struct {
	const char *folder_path, *name, *temporary;
	int folder;
	dev_t device; /* with the next: the file that was made */
	ino_t inode;
} Place;

/* A file that has its name. */
typedef struct {
	const HvrUser *user;
	int folder;
	char *name;
	dev_t device;
	ino_t inode;
} Made;

static HvrAsUserResult work(const HvrUser *user, HvrAsUserStep step, Place *place)
{
	const HvrAsUser how = { .user = user, .step = step, .data = place, .keep = place->folder };
	HvrAsUserResult result;

	hvr_as_user(&how, &result, 1);
	return result;
}

/* First the folder, then the file in it. */
static int step_begin(gpointer data, guint i, int *out_fd)
{
	Place *place = data;

	if (i == 0) {
		place->folder = open(place->folder_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		*out_fd = place->folder;
	} else if (place->folder >= 0) {
		unlinkat(place->folder, place->temporary, 0);
		*out_fd = openat(place->folder, place->temporary,
				 O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	}
	return *out_fd < 0 ? errno : 0;
}

static void hint_folder(GError **error, const HvrUser *user)
{
	if (user->privileged)
		hvr_error_hint(
			error,
			"it is made as the VM's user: name a file in a folder that user %s may "
			"write to, or set [security] user",
			user->name);
}

static char *temporary_name(const char *name)
{
	return g_strconcat(".", name, ".new", NULL);
}

gboolean hvr_new_file_begin(HvrNewFile *file, const char *path, const HvrUser *user, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	HvrAsUserResult results[2];

	file->user = user;
	file->name = g_path_get_basename(path);
	file->temporary = temporary_name(file->name);
	Place place = { .folder_path = folder, .temporary = file->temporary, .folder = -1 };
	const HvrAsUser how = { .user = user, .step = step_begin, .data = &place, .keep = -1 };
	hvr_as_user(&how, results, G_N_ELEMENTS(results));
	file->folder = results[0].fd;
	file->fd = results[1].fd;
	file->made = file->fd >= 0;
	if (results[0].problem)
		fail(error, results[0].problem, "open the folder", folder);
	else if (results[1].problem)
		fail(error, results[1].problem, "create", path);
	if (file->made)
		return TRUE;
	hint_folder(error, user);
	return FALSE;
}

/* NFS cannot rename without replacing, but has hard links; FAT has it the other way round. */
static int step_give_name(gpointer data, guint i, int *out_fd)
{
	const Place *place = data;
	int folder = place->folder;

	if (renameat2(folder, place->temporary, folder, place->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EINVAL && linkat(folder, place->temporary, folder, place->name, 0) == 0 &&
	    unlinkat(folder, place->temporary, 0) == 0)
		return 0;
	return errno;
}

static int step_remove(gpointer data, guint i, int *out_fd)
{
	const Place *place = data;

	return unlinkat(place->folder, place->temporary, 0) < 0 ? errno : 0;
}

static Place place_of(const HvrNewFile *file)
{
	return (Place){ .name = file->name, .temporary = file->temporary, .folder = file->folder };
}

static void made_free(gpointer data)
{
	Made *made = data;

	hvr_fd_close(made->folder);
	g_free(made->name);
	g_free(made);
}

GPtrArray *hvr_new_files_noted(void)
{
	return g_ptr_array_new_with_free_func(made_free);
}

static void note(HvrNewFile *file, GPtrArray *made)
{
	struct stat st;

	if (!made || fstat(file->fd, &st) < 0)
		return;
	Made *one = g_new(Made, 1);
	*one = (Made){ .user = file->user,
		       .folder = g_steal_fd(&file->folder),
		       .name = g_strdup(file->name),
		       .device = st.st_dev,
		       .inode = st.st_ino };
	g_ptr_array_add(made, one);
}

gboolean hvr_new_file_finish(HvrNewFile *file, GPtrArray *made, GError **error)
{
	Place place = place_of(file);
	int problem = 0;

	if (fsync(file->fd) < 0)
		problem = errno;
	if (!problem)
		problem = work(file->user, step_give_name, &place).problem;
	if (problem)
		return fail(error, problem, "create", file->name);
	file->made = FALSE;
	note(file, made);
	return TRUE;
}

/* Whatever has the name by now and is another file belongs to somebody else. */
static int step_remove_made(gpointer data, guint i, int *out_fd)
{
	const Place *place = data;
	struct stat st;

	if (fstatat(place->folder, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_dev != place->device || st.st_ino != place->inode)
		return ENOENT;
	return unlinkat(place->folder, place->name, 0) < 0 ? errno : 0;
}

void hvr_new_files_remove(GPtrArray *made)
{
	for (guint i = 0; i < made->len; i++) {
		const Made *one = g_ptr_array_index(made, i);
		Place place = { .folder = one->folder,
				.name = one->name,
				.device = one->device,
				.inode = one->inode };

		work(one->user, step_remove_made, &place);
	}
	g_ptr_array_set_size(made, 0);
}

void hvr_new_file_clear(HvrNewFile *file)
{
	Place place = place_of(file);

	if (file->made)
		work(file->user, step_remove, &place);
	hvr_fd_close(file->fd);
	hvr_fd_close(file->folder);
	g_free(file->name);
	g_free(file->temporary);
	*file = (HvrNewFile)HVR_NEW_FILE_INIT;
}

gboolean hvr_new_file_is_missing(const char *path)
{
	struct stat status;

	return lstat(path, &status) < 0 && errno == ENOENT;
}

static int step_check(gpointer data, guint i, int *out_fd)
{
	const Place *place = data;
	g_autofree char *path = g_build_filename(place->folder_path, place->temporary, NULL);

	if (faccessat(AT_FDCWD, place->folder_path, W_OK | X_OK, AT_EACCESS) < 0)
		return errno;
	/* what is missing may yet have a name that no file can have */
	if (faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) < 0 && errno == ENAMETOOLONG)
		return errno;
	return 0;
}

gboolean hvr_new_file_check(const char *what, const char *path, const HvrUser *user, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *temporary = temporary_name(name);
	Place place = { .folder_path = folder, .temporary = temporary, .folder = -1 };
	int problem = work(user, step_check, &place).problem;

	const HvrBlockedFile file = { .code = HVR_LAUNCH_ERROR_PROFILE,
				      .what = what,
				      .verb = HVR_BLOCKED_CREATE,
				      .path = path,
				      .problem = problem };
	if (!problem)
		return TRUE;
	if (hvr_blocked_is_missing(error, user, &file))
		return FALSE;
	g_autofree char *where = hvr_blocked_where(user, path, HVR_BLOCKED_CREATE);
	fail_at(error, problem, "create", path, where);
	g_prefix_error(error, "%s: user %s ", what, user->name);
	hint_folder(error, user);
	return FALSE;
}

/* EINVAL is for O_DIRECT: where files without a name cannot be made it is another errno. */
static int step_direct(gpointer data, guint i, int *out_fd)
{
	const Place *place = data;
	g_auto(HvrFd) fd =
		open(place->folder_path, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);

	return fd < 0 ? errno : 0;
}

gboolean hvr_new_file_takes_direct(const char *path, const HvrUser *user)
{
	g_autofree char *folder = g_path_get_dirname(path);
	Place place = { .folder_path = folder, .folder = -1 };

	return work(user, step_direct, &place).problem != EINVAL;
}
