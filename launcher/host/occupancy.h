/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "launcher/runtime/context.h"
#include "vfio/inventory.h"

/* Who has a function now? */
typedef enum {
	HVR_OCCUPANCY_FREE, /* nobody, by the kernel's word */
	HVR_OCCUPANCY_VM, /* a VM, or a command of this program at work: its group's lock is held */
	HVR_OCCUPANCY_PROCESS,	 /* some other process, a mount or the default route */
	HVR_OCCUPANCY_NO_DRIVER, /* nobody: it could not be given back, see below */
	HVR_OCCUPANCY_UNKNOWN,	 /* cannot be seen by this user, or in a captured tree */
} HvrOccupancyKind;

typedef struct {
	HvrOccupancyKind kind;
	char *who;	   /* the VM's or the process's name; NULL: not known */
	pid_t pid;	   /* 0: none, or not known */
	char *what;	   /* PROCESS: the node, mount point or interface */
	gboolean prepared; /* the journal has it: `prepare` or `after = keep` left it so */
} HvrOccupancy;
void hvr_occupancy_clear(HvrOccupancy *occupancy);

/**
 * HvrOccupancyFinder - answers for several functions, with one look at the host's processes for
 * all.
 */
typedef struct HvrOccupancyFinder HvrOccupancyFinder;

/**
 * hvr_occupancy_finder_new - look. Changes nothing; the kernel is asked by the group's node where
 * the caller may open it (VFIO_GROUP_GET_STATUS).
 * @functions: array of HvrPciFunction: whom hvr_occupancy_find() will be asked for
 */
HvrOccupancyFinder *hvr_occupancy_finder_new(const HvrContext *context,
					     const GPtrArray *functions) G_GNUC_WARN_UNUSED_RESULT;
void hvr_occupancy_finder_free(HvrOccupancyFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrOccupancyFinder, hvr_occupancy_finder_free)

/**
 * hvr_occupancy_is_stranded - was the function taken from a driver of the host, and is now on none,
 * since giving it back failed? Then the host has no use of it, whoever may take it.
 * @journal: (nullable): array of HvrJournalEntry
 */
gboolean hvr_occupancy_is_stranded(const GPtrArray *journal, const HvrPciFunction *function);

/* @out_occupancy: to be cleared by hvr_occupancy_clear() */
void hvr_occupancy_find(HvrOccupancyFinder *finder, const HvrPciFunction *function,
			HvrOccupancy *out_occupancy);

/* "free", "VM lab (pid 812)", "hailortcli (pid 90)", "no driver, not given back", "unknown".
 * [transfer full] */
char *hvr_occupancy_describe(const HvrOccupancy *occupancy) G_GNUC_WARN_UNUSED_RESULT;
