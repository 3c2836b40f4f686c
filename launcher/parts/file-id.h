/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"

/**
 * HvrFileId - which file a path leads to, whatever way: links, hard links, bind mounts and folders
 * under two names. What is not there is known by where it would be made.
 */
typedef struct {
	guint64 device, inode;	       /* st_dev and st_ino; 0: it is not there */
	guint64 folder_device, folder; /* of the folder that names it; 0: not known */
	char *name;		       /* in there */
} HvrFileId;

void hvr_file_id_clear(HvrFileId *id);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrFileId, hvr_file_id_clear)

/**
 * hvr_file_ids - find them as @user, who may come to places where root does not. Opens none of them
 * (O_PATH), and asks no server for what the kernel knows.
 * @paths: of @n; absolute
 * @ids: (out): of @n; the caller clears them
 */
void hvr_file_ids(const HvrUser *user, const char *const *paths, HvrFileId *ids, guint n);

/* Of what is there: is it one file? Of what is not: would it be one? Pure. */
gboolean hvr_file_id_equal(const HvrFileId *a, const HvrFileId *b);
