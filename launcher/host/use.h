/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "launcher/runtime/context.h"
#include "vfio/inventory.h"

/* Who has a function now? */
typedef enum {
	HVR_USE_FREE,	 /* nobody, by the kernel's word */
	HVR_USE_VM,	 /* a VM, or a command of this program at work: its group's lock is held */
	HVR_USE_PROCESS, /* some other process, a mount or the default route */
	HVR_USE_UNKNOWN, /* cannot be seen by this user, or in a captured tree */
} HvrUseKind;

typedef struct {
	HvrUseKind kind;
	char *who;	   /* the VM's or the process's name; NULL: not known */
	pid_t pid;	   /* 0: none, or not known */
	char *what;	   /* PROCESS: the node, mount point or interface */
	gboolean prepared; /* the journal has it: `prepare` or `after = keep` left it so */
} HvrUse;
void hvr_use_clear(HvrUse *use);

/**
 * HvrUseFinder - answers for several functions, with one look at the host's processes for all.
 */
typedef struct HvrUseFinder HvrUseFinder;

/**
 * hvr_use_finder_new - look. Changes nothing; the kernel is asked by the group's node where the
 * caller may open it (VFIO_GROUP_GET_STATUS).
 * @functions: array of HvrPciFunction: whom hvr_use_find() will be asked for
 */
HvrUseFinder *hvr_use_finder_new(const HvrContext *context,
				 const GPtrArray *functions) G_GNUC_WARN_UNUSED_RESULT;
void hvr_use_finder_free(HvrUseFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrUseFinder, hvr_use_finder_free)

/* @out_use: to be cleared by hvr_use_clear() */
void hvr_use_find(const HvrUseFinder *finder, const HvrPciFunction *function, HvrUse *out_use);

/* "free", "VM lab (pid 812)", "hailortcli (pid 90)", "unknown". [transfer full] */
char *hvr_use_describe(const HvrUse *use) G_GNUC_WARN_UNUSED_RESULT;
