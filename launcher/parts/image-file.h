/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/stat.h>

#include "launcher/process/user.h"

/**
 * HvrImageFile - a file that QEMU will open, as the VM's user sees it.
 */
typedef struct {
	guint64 device, inode;		/* which file it is, under whatever name */
	guint64 size;			/* in bytes; of a block device, too */
	gint64 modified_ns, changed_ns; /* its last changes, mtime and ctime, since 1970 */
	guint64 number;			/* of a block device itself (st_rdev); else 0 */
	guint32 mode;			/* stat(2) */
	guint32 uid, gid;
	guint32 has_acl;
	guint32 no_direct; /* it was asked for, and its file system has no O_DIRECT */
	guint32 locks;	   /* HVR_IMAGE_LOCK_…: what others hold */
	guint32 length;	   /* of @bytes */
	guint8 *bytes;	   /* its first ones: what hvr_image_header_parse() wants */
} HvrImageFile;

/*
 * QEMU locks single bytes of an image that it has open (block/file-posix.c, RAW_LOCK_PERM_BASE and
 * RAW_LOCK_SHARED_BASE): 100 + i says that it does i, 200 + i that nobody else may.
 */
enum {
	HVR_IMAGE_LOCK_WRITES = 1 << 0,		   /* 101 */
	HVR_IMAGE_LOCK_LETS_NOBODY_READ = 1 << 1,  /* 200 */
	HVR_IMAGE_LOCK_LETS_NOBODY_WRITE = 1 << 2, /* 201 */
	/* Not QEMU's: a block device is mounted, swap, or part of another one, or a partition of it
	 * is, or the disk that it is one of (O_EXCL; block/bdev.c, bd_prepare_to_claim()). */
	HVR_IMAGE_LOCK_HOST = 1 << 3,
};

typedef struct {
	const char *what; /* names it in a message: "[boot] kernel" */
	const char *path;
	int flags;		  /* for open(2): O_RDONLY or O_RDWR; O_DIRECTORY */
	gboolean direct;	  /* see whether it opens with O_DIRECT, too */
	const char *missing_hint; /* (nullable): what to do when there is none */
} HvrImageWanted;

/**
 * hvr_image_file_look - open a file as @user, look at it, close it.
 *
 * All of it in a child where this process is not that user: it is that user's file, and may be one
 * that never answers (FUSE). No lock is taken, but for a moment a block device, which the host then
 * cannot mount. Errors: HVR_LAUNCH_ERROR_PROFILE: it cannot be
 * opened; or a plain user could, but only by a group that root would not have given to the same VM
 * (hvr_group_is_withheld()): so the VM starts by either way or by none.
 */
gboolean hvr_image_file_look(HvrImageFile *file, const HvrUser *user, const HvrImageWanted *wanted,
			     GError **error);
/* What stat(2) tells of it; without bytes. */
HvrImageFile hvr_image_file_of(const struct stat *st);

void hvr_image_file_clear(HvrImageFile *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrImageFile, hvr_image_file_clear)

/* The number of the block device at @path, as far as @user comes to it, who need not be able to
 * open it; 0: there is none. */
guint64 hvr_image_file_number(const HvrUser *user, const char *path);
