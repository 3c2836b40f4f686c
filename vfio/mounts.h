/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

/* What this process's mount namespace has mounted: others have mounts of their own. */

typedef struct {
	guint32 major, minor; /* 0:N for a file system that shows no device (btrfs) */
	char *place;	      /* where; as the kernel spells it, unescaped */
	char *source;	      /* what; mostly a node below /dev */
	gboolean readonly;    /* the file system itself, by whatever mount */
} HvrMount;

/* A line of /proc/PID/mountinfo (proc_pid_mountinfo(5)). FALSE: it is none; nothing is set then. */
gboolean hvr_mount_parse(HvrMount *mount, const char *line);
void hvr_mount_clear(HvrMount *mount);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrMount, hvr_mount_clear)

/* Calls @on_mount for each; for none where they cannot be read. */
void hvr_mounts_each(const HvrHost *host, void (*on_mount)(const HvrMount *mount, gpointer data),
		     gpointer data);

/* Calls @on_swap with the path of each node or file that is swapped on, as the kernel spells it. */
void hvr_swaps_each(const HvrHost *host, void (*on_swap)(const char *path, gpointer data),
		    gpointer data);
