/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A state appears and disappears by one rename of its folder, so there is no moment in which half
 * of one has its name. What has another name is under way: its maker holds a flock on the folder,
 * which ends with them, whatever ends them.
 */
#include "launcher/warm/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "launcher/runtime/lasting.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

#define PROGRAM_FOLDER "hailo-vm-run"
#define STORE_FOLDER   "warm"
#define DROPPED_PREFIX ".old-"
#define ABOUT_BYTES    (256 * 1024)
#define SECTOR	       512

static gboolean fail(GError **error, int code, const char *what, const char *path)
{
	int saved = errno;

	g_set_error(error, HVR_LAUNCH_ERROR, code, "cannot %s '%s': %s", what, path,
		    g_strerror(saved));
	return FALSE;
}

static gboolean check_owner(int fd, const char *path, GError **error)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 022) == 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "'%s', where states of guests are kept, is not user %u's alone to write", path,
		    geteuid());
	hvr_error_hint(error, "remove it if you do not know where it comes from, and try again");
	return FALSE;
}

/* @path: of both. Returns: the folder, or -1; without an error where it is missing */
static int open_one(int parent, const char *name, const char *path, mode_t mode, GError **error)
{
	gboolean made = mode && mkdirat(parent, name, 0700) == 0;

	if (mode && !made && errno != EEXIST) {
		fail(error, HVR_LAUNCH_ERROR_UNAVAILABLE, "make the folder", path);
		return -1;
	}
	g_auto(HvrFd) fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !mode)
		return -1;
	/* Whatever the umask is. */
	if (fd < 0 || (made && fchmod(fd, mode) < 0)) {
		fail(error, HVR_LAUNCH_ERROR_UNAVAILABLE, "open the folder", path);
		return -1;
	}
	if (!check_owner(fd, path, error))
		return -1;
	return g_steal_fd(&fd);
}

static gboolean is_under_way(const char *name)
{
	return g_str_has_prefix(name, HVR_WARM_DRAFT_PREFIX) ||
	       g_str_has_prefix(name, DROPPED_PREFIX);
}

void hvr_warm_store_sweep(const HvrWarmStore *store)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(store->folder, ".");

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		if (!is_under_way(name))
			continue;
		g_auto(HvrFd) folder = openat(store->folder, name,
					      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) == 0 &&
		    !hvr_warm_store_remove(store, name))
			g_debug("%s/%s cannot be removed: %s", store->path, name,
				g_strerror(errno));
	}
}

static gboolean open_cache(const HvrContext *context, gboolean create, int *out_cache,
			   GError **error)
{
	*out_cache = -1;
	if (!context->cache && create)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "there is no place for states of guests");
	if (!context->cache)
		return FALSE;
	/* a plain user's may not be there yet; root's is the system's */
	if (create && !context->privileged && g_mkdir_with_parents(context->cache, 0700) < 0)
		return fail(error, HVR_LAUNCH_ERROR_UNAVAILABLE, "make the folder", context->cache);
	*out_cache = open(context->cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*out_cache >= 0)
		return TRUE;
	if (create || errno != ENOENT)
		fail(error, HVR_LAUNCH_ERROR_UNAVAILABLE, "open the folder", context->cache);
	return FALSE;
}

gboolean hvr_warm_store_open(const HvrContext *context, gboolean create, HvrWarmStore *out_store,
			     GError **error)
{
	/* QEMU's user passes through to its own files */
	mode_t inner = context->privileged ? 0711 : 0700, outer = context->privileged ? 0755 : 0700;
	g_auto(HvrFd) cache = -1;

	*out_store = (HvrWarmStore)HVR_WARM_STORE_NONE;
	if (!open_cache(context, create, &cache, error))
		return FALSE;
	g_autofree char *ours = g_build_filename(context->cache, PROGRAM_FOLDER, NULL);
	g_autofree char *path = g_build_filename(ours, STORE_FOLDER, NULL);
	g_auto(HvrFd) parent = open_one(cache, PROGRAM_FOLDER, ours, create ? outer : 0, error);
	if (parent < 0)
		return FALSE;
	out_store->folder = open_one(parent, STORE_FOLDER, path, create ? inner : 0, error);
	if (out_store->folder < 0)
		return FALSE;
	out_store->path = g_steal_pointer(&path);
	out_store->privileged = context->privileged;
	return TRUE;
}

void hvr_warm_store_clear(HvrWarmStore *store)
{
	hvr_fd_close(store->folder);
	g_free(store->path);
	*store = (HvrWarmStore)HVR_WARM_STORE_NONE;
}

static int open_state(const HvrWarmStore *store, const char *key)
{
	/* a word of somebody's is not to lead elsewhere */
	if (strlen(key) != 64 || strspn(key, "0123456789abcdef") != 64) {
		errno = ENOENT;
		return -1;
	}
	return openat(store->folder, key, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void entry_free(gpointer data)
{
	HvrWarmEntry *entry = data;

	hvr_warm_manifest_free(entry->manifest);
	g_free(entry);
}

static guint64 count_bytes(int folder)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(folder, ".");
	guint64 bytes = 0;

	for (guint i = 0; i < names->len; i++) {
		struct stat st;
		if (fstatat(folder, names->pdata[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += (guint64)st.st_blocks * SECTOR;
	}
	return bytes;
}

static gint by_use(gconstpointer a, gconstpointer b)
{
	const HvrWarmEntry *one = *(HvrWarmEntry *const *)a, *other = *(HvrWarmEntry *const *)b;

	return (one->used_s < other->used_s) - (one->used_s > other->used_s);
}

GPtrArray *hvr_warm_store_list(const HvrWarmStore *store)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(store->folder, ".");
	GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);

	for (guint i = 0; i < names->len; i++) {
		g_auto(HvrFd) folder = open_state(store, names->pdata[i]);
		HvrWarmManifest *manifest = folder < 0 ? NULL : hvr_warm_manifest_read(folder);
		struct stat st;

		if (!manifest || fstat(folder, &st) < 0 ||
		    !g_str_equal(manifest->key, names->pdata[i])) {
			hvr_warm_manifest_free(manifest);
			continue;
		}
		HvrWarmEntry *entry = g_new(HvrWarmEntry, 1);
		*entry = (HvrWarmEntry){ .manifest = manifest,
					 .used_s = st.st_mtim.tv_sec,
					 .bytes = count_bytes(folder) };
		g_ptr_array_add(entries, entry);
	}
	g_ptr_array_sort(entries, by_use);
	return entries;
}

char *hvr_warm_store_about(const HvrWarmStore *store, const char *key)
{
	g_auto(HvrFd) folder = open_state(store, key);

	return folder < 0 ? NULL : hvr_lasting_read(folder, HVR_WARM_ABOUT, ABOUT_BYTES);
}

void hvr_warm_found_clear(HvrWarmFound *found)
{
	hvr_fd_close(found->state);
	g_free(found->path);
	hvr_warm_manifest_free(found->manifest);
	*found = (HvrWarmFound)HVR_WARM_FOUND_NONE;
}

static gboolean refuse(const char *key, GError **error, const char *what, const char *which)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "state %.12s: %s%s", key,
		    which, what);
	hvr_error_hint(error, "'hailo-vm-run warm PROFILE' saves it anew");
	return FALSE;
}

gboolean hvr_warm_store_find(const HvrWarmStore *store, const char *key, guint uid,
			     HvrWarmFound *out_found, GError **error)
{
	g_auto(HvrFd) folder = open_state(store, key);
	g_autoptr(HvrWarmManifest) manifest = NULL;
	g_auto(HvrFd) state = -1;

	*out_found = (HvrWarmFound)HVR_WARM_FOUND_NONE;
	if (folder < 0 && errno == ENOENT)
		return FALSE;
	if (folder >= 0)
		manifest = hvr_warm_manifest_read(folder);
	if (!manifest || !g_str_equal(manifest->key, key))
		return refuse(key, error, " is damaged", "its manifest");
	if (manifest->uid != uid)
		return refuse(key, error, "", "it is of another user's VM");
	const char *changed = hvr_warm_manifest_check(manifest, folder, uid);
	if (changed)
		return refuse(key, error, " is not what was saved", changed);
	state = openat(folder, HVR_WARM_STATE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (state < 0)
		return refuse(key, error, " cannot be opened", HVR_WARM_STATE);
	if (futimens(folder, NULL) < 0)
		g_debug("state %s: that it is used cannot be noted", key);
	out_found->manifest = g_steal_pointer(&manifest);
	out_found->path = g_build_filename(store->path, key, NULL);
	out_found->state = g_steal_fd(&state);
	return TRUE;
}

gboolean hvr_warm_found_is_there(const HvrWarmFound *found)
{
	g_autofree char *state = g_build_filename(found->path, HVR_WARM_STATE, NULL);
	g_autofree char *manifest = g_build_filename(found->path, HVR_WARM_MANIFEST, NULL);
	struct stat ours, there;

	return fstat(found->state, &ours) == 0 && lstat(state, &there) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino &&
	       lstat(manifest, &there) == 0;
}

gboolean hvr_warm_store_remove(const HvrWarmStore *store, const char *name)
{
	g_auto(HvrFd) folder =
		openat(store->folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (folder < 0)
		return FALSE;
	g_autoptr(GPtrArray) names = hvr_tree_list(folder, ".");
	for (guint i = 0; i < names->len; i++)
		if (unlinkat(folder, names->pdata[i], 0) < 0 && errno != ENOENT)
			return FALSE;
	return unlinkat(store->folder, name, AT_REMOVEDIR) == 0;
}

/* Overlayfs renames no folder of its lower layer: that one is no state when its manifest is gone,
 * and is removed where it is. FALSE with errno. */
static gboolean put_aside(const HvrWarmStore *store, int folder, const char *key, const char *name)
{
	if (renameat(store->folder, key, store->folder, name) == 0)
		return TRUE;
	if (errno != EXDEV)
		return FALSE;
	return unlinkat(folder, HVR_WARM_MANIFEST, 0) == 0 && hvr_warm_store_remove(store, key);
}

/* Held, as by who drops it: a manifest does not come again where one was taken away. */
gboolean hvr_warm_store_note_stays(const HvrWarmStore *store, const char *key, GError **error)
{
	g_auto(HvrFd) folder = open_state(store, key);
	g_autoptr(HvrWarmManifest) manifest = NULL;

	if (folder < 0 || flock(folder, LOCK_EX) < 0 ||
	    !(manifest = hvr_warm_manifest_read(folder)))
		return FALSE;
	manifest->agent = HVR_WARM_AGENT_STAYS;
	g_autofree char *text = hvr_warm_manifest_to_text(manifest);
	return hvr_runtime_replace(folder, HVR_WARM_MANIFEST, text, error);
}

gboolean hvr_warm_store_drop(const HvrWarmStore *store, const char *key, GError **error)
{
	g_autofree char *uuid = g_uuid_string_random();
	g_autofree char *name = g_strconcat(DROPPED_PREFIX, uuid, NULL);
	g_auto(HvrFd) folder = open_state(store, key);

	if (folder < 0 && errno == ENOENT)
		return FALSE;
	/* Held, so that nobody else sweeps it up meanwhile. */
	if (folder < 0 || flock(folder, LOCK_EX) < 0 || !put_aside(store, folder, key, name)) {
		if (errno == ENOENT)
			return FALSE;
		return fail(error, HVR_LAUNCH_ERROR_KERNEL, "drop the state", key);
	}
	if (!hvr_warm_store_remove(store, name) && errno != ENOENT)
		return fail(error, HVR_LAUNCH_ERROR_KERNEL, "drop the state", key);
	return TRUE;
}

static guint64 free_bytes(const HvrWarmStore *store)
{
	struct statvfs st;

	if (fstatvfs(store->folder, &st) < 0)
		return G_MAXUINT64;
	return (guint64)st.f_bavail * st.f_frsize;
}

gboolean hvr_warm_store_make_room(const HvrWarmStore *store, guint64 bytes, GError **error)
{
	g_autoptr(GPtrArray) entries = hvr_warm_store_list(store);
	guint left = entries->len;

	while (left && (left >= HVR_WARM_STATES_MOST || free_bytes(store) < bytes)) {
		const HvrWarmEntry *oldest = g_ptr_array_index(entries, --left);
		GError *cause = NULL;

		if (!hvr_warm_store_drop(store, oldest->manifest->key, &cause) && cause) {
			g_propagate_error(error, cause);
			return FALSE;
		}
	}
	guint64 there = free_bytes(store);
	if (there >= bytes)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "'%s' has %" G_GUINT64_FORMAT
		    " MiB left, and a state of this guest may take %" G_GUINT64_FORMAT,
		    store->path, there >> 20, bytes >> 20);
	hvr_error_hint(error, "make room there");
	return FALSE;
}
