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

/* A file that a profile names. */
typedef struct {
	char *key; /* as a message names it */
	const char *path;
	gboolean writes;
	gboolean image; /* of a disk that is there */
	HvrFileId id;	/* see hvr_files_find() */
} HvrNamedFile;

/* (transfer full): of HvrNamedFile */
GArray *hvr_files_new(void) G_GNUC_WARN_UNUSED_RESULT;

/* @key: (transfer full); @path: (nullable): absolute, borrowed. NULL: nothing is added. */
void hvr_files_add(GArray *files, char *key, const char *path, gboolean writes);

/**
 * hvr_files_find - find the ids of all as @user, who may come to places where root does not: one
 * process is that user for all of them. Opens none (O_PATH), and asks no server for what the kernel
 * knows.
 */
void hvr_files_find(GArray *files, const HvrUser *user);

/* Of what is there: is it one file? Of what is not: would it be one? Pure. */
gboolean hvr_file_id_equal(const HvrFileId *a, const HvrFileId *b);
