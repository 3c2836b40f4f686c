/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"
#include "vfio/inventory.h"

/* Why a function must not be taken from its driver now. */
typedef enum {
	HVR_DEPENDENT_PROCESS,	     /* a process has one of the function's device nodes open */
	HVR_DEPENDENT_VFIO,	     /* a process has the access to it open: see vfio/access.h */
	HVR_DEPENDENT_MOUNT,	     /* a block device of it is mounted, swapped on, or held */
	HVR_DEPENDENT_DEFAULT_ROUTE, /* its network interface carries the default route */
} HvrDependentKind;

typedef struct {
	HvrDependentKind kind;
	pid_t pid;     /* 0 where no process is meant */
	char *command; /* the process's name, or NULL */
	char *what;    /* node, mount point or interface */
} HvrDependent;

/**
 * hvr_dependents_find - who would notice if the driver were taken from @function?
 *
 * Looks for device nodes below the function's sysfs folder ("dev" attributes) and the group's
 * node in every /proc/PID/fd, at mounts, swaps and holders of its block devices, and at the
 * default route. Changes nothing. What it may not look at (other users' processes when not root)
 * it leaves out. Linear in the number of open descriptors of the host; all functions in one pass.
 *
 * @functions: array of HvrPciFunction
 * Returns: (transfer full): an array of HvrDependent, empty when there are none
 */
GPtrArray *hvr_dependents_find(const HvrHost *host,
			       const GPtrArray *functions) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_dependents_route - does one of the network interfaces, or what rests on it (a bridge, bond or
 * VLAN), carry a default route?
 * @interfaces: of char *
 * Returns: (transfer full): which one, or NULL
 */
char *hvr_dependents_route(const HvrHost *host, GPtrArray *interfaces) G_GNUC_WARN_UNUSED_RESULT;
