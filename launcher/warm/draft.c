/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/warm/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "launcher/report/text.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

static gboolean fail(GError **error, const char *what, const char *path)
{
	int saved = errno;

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "cannot %s '%s': %s",
		    what, path, g_strerror(saved));
	return FALSE;
}

/* How often somebody may sweep it up before it is held. */
#define MOST_TRIES 16

/* Held, and still there. Returns: 0, or the errno; ESTALE: somebody has swept it up, or is about
 * to, between our making and our holding it. */
static int make_folder(const HvrWarmStore *store, const char *name, int *out_folder)
{
	struct stat st;

	if (mkdirat(store->folder, name, 0700) < 0)
		return errno;
	g_auto(HvrFd) folder =
		openat(store->folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || flock(folder, LOCK_EX | LOCK_NB) < 0 || fstat(folder, &st) < 0)
		return errno == ENOENT || errno == EWOULDBLOCK ? ESTALE : errno;
	if (st.st_nlink == 0)
		return ESTALE;
	*out_folder = g_steal_fd(&folder);
	return 0;
}

gboolean hvr_warm_draft_begin(HvrWarmDraft *draft, const HvrWarmStore *store, const HvrUser *user,
			      guint64 bytes, GError **error)
{
	*draft = (HvrWarmDraft)HVR_WARM_DRAFT_NONE;
	if (!hvr_warm_store_make_room(store, bytes, error))
		return FALSE;
	g_autofree char *name = NULL;
	g_auto(HvrFd) folder = -1;
	int problem = ESTALE;
	for (guint i = 0; problem == ESTALE && i < MOST_TRIES; i++) {
		g_autofree char *uuid = g_uuid_string_random();
		g_free(name);
		name = g_strconcat(HVR_WARM_DRAFT_PREFIX, uuid, NULL);
		problem = make_folder(store, name, &folder);
	}
	errno = problem;
	if (problem)
		return fail(error, "make a folder in", store->path);
	g_autofree char *path = g_build_filename(store->path, name, NULL);
	if (store->privileged && fchmod(folder, 0711) < 0)
		return fail(error, "open up the folder", path);
	*draft = (HvrWarmDraft){ .store = store,
				 .user = user,
				 .folder = g_steal_fd(&folder),
				 .name = g_steal_pointer(&name),
				 .path = g_steal_pointer(&path) };
	return TRUE;
}

int hvr_warm_draft_file(const HvrWarmDraft *draft, const char *name, GError **error)
{
	const HvrUser *user = draft->user;
	g_auto(HvrFd) fd = openat(draft->folder, name,
				  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || fchmod(fd, 0600) < 0 ||
	    (user->privileged && fchown(fd, user->uid, user->gid) < 0)) {
		fail(error, "make", name);
		return -1;
	}
	return g_steal_fd(&fd);
}

/* QEMU has written them; what is not on the disk may never come there. */
static gboolean sync_files(const HvrWarmDraft *draft)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(draft->folder, ".");

	for (guint i = 0; i < names->len; i++) {
		g_auto(HvrFd) fd =
			openat(draft->folder, names->pdata[i], O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fsync(fd) < 0)
			return FALSE;
	}
	return TRUE;
}

/* Of the same user as the rest, so that all of it is judged alike. */
static gboolean write_about(const HvrWarmDraft *draft, const char *about, GError **error)
{
	g_auto(HvrFd) fd = hvr_warm_draft_file(draft, HVR_WARM_ABOUT, error);

	if (fd < 0)
		return FALSE;
	return hvr_fd_write_all(fd, about, strlen(about)) || fail(error, "write", HVR_WARM_ABOUT);
}

static gboolean write_manifest(const HvrWarmDraft *draft, const HvrWarmName *name, GError **error)
{
	g_autoptr(HvrWarmManifest) manifest = hvr_warm_manifest_new();

	manifest->key = g_strdup(name->key);
	manifest->vm = g_strdup(name->vm);
	manifest->name = g_strdup(name->name);
	for (guint i = 0; i < name->macs->len; i++)
		g_ptr_array_add(manifest->macs, g_strdup(g_ptr_array_index(name->macs, i)));
	manifest->agent = name->hears ? HVR_WARM_AGENT_HEARS : HVR_WARM_AGENT_DEAF;
	manifest->profile = hvr_text_safe(name->profile);
	manifest->uid = draft->user->uid;
	manifest->made_s = g_get_real_time() / G_USEC_PER_SEC;
	if (!hvr_warm_manifest_add_files(manifest, draft->folder))
		return fail(error, "look at the files of", draft->path);
	g_autofree char *text = hvr_warm_manifest_to_text(manifest);
	return hvr_runtime_replace(draft->folder, HVR_WARM_MANIFEST, text, error);
}

gboolean hvr_warm_draft_finish(HvrWarmDraft *draft, const HvrWarmName *name, GError **error)
{
	int store = draft->store->folder;

	if (!write_about(draft, name->about, error))
		return FALSE;
	if (!sync_files(draft))
		return fail(error, "write to the disk", draft->path);
	if (!write_manifest(draft, name, error))
		return FALSE;
	if (renameat2(store, draft->name, store, name->key, RENAME_NOREPLACE) < 0) {
		if (errno == EEXIST)
			return TRUE;
		return fail(error, "give its name to", draft->path);
	}
	if (fsync(store) < 0)
		return fail(error, "write to the disk", draft->store->path);
	hvr_fd_close(g_steal_fd(&draft->folder));
	return TRUE;
}

void hvr_warm_draft_clear(HvrWarmDraft *draft)
{
	if (draft->folder >= 0 && !hvr_warm_store_remove(draft->store, draft->name))
		g_debug("%s cannot be removed: %s", draft->path, g_strerror(errno));
	hvr_fd_close(draft->folder);
	g_free(draft->name);
	g_free(draft->path);
	*draft = (HvrWarmDraft)HVR_WARM_DRAFT_NONE;
}
