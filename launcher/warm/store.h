/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/warm/manifest.h"

/**
 * HvrWarmStore - the folder of states of guests: as root /var/cache/hailo-vm-run/warm, else in the
 * user's own cache.
 *
 *   KEY/manifest      what belongs to it (manifest.h)
 *   KEY/about         what the key is made of
 *   KEY/state         devices and RAM
 *   KEY/disk0.qcow2   what the guest had written to its first disk
 *   .new-NUMBER/      a state that is being saved (draft.h)
 *   .old-NUMBER/      one that is being dropped
 *
 * The folders belong to the caller; a state is the guest's memory, so its files are the VM's user's
 * and 0600, and where that is somebody else (root's VMs) they may pass through the folders, 0711,
 * and no more.
 */
typedef struct {
	int folder;
	char *path;
	gboolean privileged;
} HvrWarmStore;

#define HVR_WARM_STORE_NONE                                                                        \
	{                                                                                          \
		.folder = -1                                                                       \
	}

/* How many states are kept at most; the one that was not used for longest goes first. */
#define HVR_WARM_STATES_MOST 8

/**
 * hvr_warm_store_open - open it, and make it where it is missing and @create.
 * Returns: FALSE without an error when there is none and @create is FALSE
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: it cannot be made; _PERMISSION: it is a link, somebody
 * else's, or others may write to it
 */
gboolean hvr_warm_store_open(const HvrContext *context, gboolean create, HvrWarmStore *out_store,
			     GError **error);
void hvr_warm_store_clear(HvrWarmStore *store);
/* Removes what those left who were killed while they saved or dropped. */
void hvr_warm_store_sweep(const HvrWarmStore *store);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrWarmStore, hvr_warm_store_clear)

/* A state that is listed. */
typedef struct {
	HvrWarmManifest *manifest;
	gint64 used_s; /* when it was last restored, or saved; seconds since 1970 */
	guint64 bytes; /* that it takes on the disk */
} HvrWarmEntry;

/* All that have a manifest, of HvrWarmEntry, the one used last first. [transfer full] */
GPtrArray *hvr_warm_store_list(const HvrWarmStore *store) G_GNUC_WARN_UNUSED_RESULT;

/* What the key of a state was made of, or NULL. [transfer full] */
char *hvr_warm_store_about(const HvrWarmStore *store, const char *key) G_GNUC_WARN_UNUSED_RESULT;

/* A state to be restored. */
typedef struct {
	HvrWarmManifest *manifest;
	char *path; /* its folder */
	int state;  /* HVR_WARM_STATE, O_RDONLY; -1: there is none */
} HvrWarmFound;

#define HVR_WARM_FOUND_NONE                                                                        \
	{                                                                                          \
		.state = -1                                                                        \
	}
void hvr_warm_found_clear(HvrWarmFound *found);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrWarmFound, hvr_warm_found_clear)

/**
 * hvr_warm_store_find - the state of this key, if it is whole and as it was saved. It counts as
 * used from now on. Who drops it later takes nothing from whoever has opened it.
 * @uid: the VM's user
 * Returns: FALSE without an error when there is none
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: it is damaged, was changed, or is not that user's
 */
gboolean hvr_warm_store_find(const HvrWarmStore *store, const char *key, guint uid,
			     HvrWarmFound *out_found, GError **error);

/* Is it still there, in its place? Who opens its disks by their paths may find that it is not. */
gboolean hvr_warm_found_is_there(const HvrWarmFound *found);

/**
 * hvr_warm_store_note_stays - its guest keeps the MAC address that it was saved with: see
 * HVR_WARM_AGENT_STAYS, which its manifest says from now on.
 * Returns: FALSE without an error when there is no state of that key any more
 * Errors: of hvr_runtime_replace()
 */
gboolean hvr_warm_store_note_stays(const HvrWarmStore *store, const char *key, GError **error);

/**
 * hvr_warm_store_drop - a state goes; a VM that was restored from it goes on.
 * Returns: FALSE without an error when there is none of that key
 * Errors: HVR_LAUNCH_ERROR_KERNEL: it cannot be removed
 */
gboolean hvr_warm_store_drop(const HvrWarmStore *store, const char *key, GError **error);

/* For draft.c: the oldest go until there is room for one more of @bytes, in number and on the disk.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: there is none even so */
gboolean hvr_warm_store_make_room(const HvrWarmStore *store, guint64 bytes,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Removes a folder in the store with the files in it. FALSE with errno. */
gboolean hvr_warm_store_remove(const HvrWarmStore *store, const char *name);
#define HVR_WARM_DRAFT_PREFIX ".new-"
