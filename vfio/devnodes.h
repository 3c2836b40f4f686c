/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"
#include "vfio/inventory.h"

/* What a function's driver has made of it for programs to use. */

typedef struct {
	char *name;	  /* below /dev: "hailo0", "dri/card0", "vfio/14" */
	HvrAccess access; /* NONE: it is for the host's programs, and no way to the card for a VM */
	gboolean has_number;
	guint32 major, minor; /* as the kernel knows the node, whatever it is called */
	gboolean block;
	GPtrArray *holders; /* names of the block devices that are made of this one */
} HvrDevnode;

typedef struct {
	GPtrArray *nodes;      /* of HvrDevnode, sorted by name */
	GPtrArray *interfaces; /* names of network interfaces, sorted */
} HvrDevnodes;

/**
 * hvr_devnodes_find - the nodes and interfaces of some functions, and the access to each.
 * Changes nothing. A function that has vanished has none.
 * @functions: array of HvrPciFunction
 */
HvrDevnodes *hvr_devnodes_find(const HvrHost *host,
			       const GPtrArray *functions) G_GNUC_WARN_UNUSED_RESULT;
void hvr_devnodes_free(HvrDevnodes *nodes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrDevnodes, hvr_devnodes_free)
