/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "launcher/host/health.h"
#include "launcher/host/occupancy.h"
#include "launcher/host/passable.h"
#include "launcher/runtime/context.h"
#include "vfio/inventory.h"
#include "vfio/reset.h"

/**
 * HvrListItem - one function as `list` shows it. What is not known, or not there, is NULL.
 */
typedef struct {
	const HvrPciFunction *function;
	const GPtrArray *group; /* all members of its group, itself included; NULL: no group */
	gboolean chosen;	/* FALSE: here only as a neighbour or a bridge, for the tree */
	char *name;
	char *short_name; /* of what is listed for a tree; else NULL */
	/* Of accelerators, and of functions on a VFIO driver; of all where asked for. */
	gboolean detailed;
	char *reset_method; /* "" emptied */
	HvrResets resets;   /* with the methods as they are now */
	char *link_speed;   /* "8.0 GT/s PCIe" */
	char *link_width;   /* "4" */
	char *power_state;  /* "D0" */
	int numa_node;	    /* -1: none */
	char *node;	    /* "/dev/vfio/14", "/dev/hailo0" */
	char *node_owner;   /* a name, or a number where it has none */
	mode_t node_mode;   /* permission bits */
	HvrOccupancy occupancy;
	/* Of those that are held, too; of all others .reason is NULL and .kind says nothing. */
	gboolean has_health;
	HvrHealth health;
	/* Of the accelerators, and of what is on a VFIO driver, where that was asked for. */
	gboolean judged;
	HvrPassable passable;
	/* The card that no VM can have because of this one. */
	const HvrPciFunction *blocks;
} HvrListItem;

typedef struct {
	gboolean all;	   /* every function, not only the accelerators of the quirk table */
	gboolean details;  /* of every function that is listed */
	gboolean judge;	   /* can a VM have it? of what this program is about */
	gboolean surround; /* bridges above and members of the groups too */
} HvrListWhat;

/**
 * hvr_list_read - look at the functions of @inventory. Changes nothing, needs no privilege.
 * The inventory must outlive the list. Linear in the number of functions.
 * Returns: (transfer full): array of HvrListItem, sorted by address
 */
GPtrArray *hvr_list_read(const HvrContext *context, const HvrInventory *inventory,
			 const HvrListWhat *what) G_GNUC_WARN_UNUSED_RESULT;

/* The holds of cards that are not there. [transfer full] array of HvrHold, empty where they cannot
 * be read */
GPtrArray *hvr_list_missing(const HvrContext *context,
			    const HvrInventory *inventory) G_GNUC_WARN_UNUSED_RESULT;

/* One line of text for each item, under a headline; where such a line is longer than @width, a
 * record of several short ones for each. @width: columns of the terminal, 0: any. Pure. [transfer
 * full] */
char *hvr_list_table(const GPtrArray *items, guint width) G_GNUC_WARN_UNUSED_RESULT;

/* A line for each hold of what is not there; "" for none. Pure. [transfer full] */
char *hvr_list_missing_text(const GPtrArray *missing) G_GNUC_WARN_UNUSED_RESULT;

/* "14 + 0000:02:00.1": its group and the endpoints and bridges in it, or "none". [transfer full] */
char *hvr_list_group_text(const HvrListItem *item) G_GNUC_WARN_UNUSED_RESULT;

/* How a tree is drawn. */
typedef enum {
	HVR_LIST_ASCII = 0,
	HVR_LIST_UNICODE = 1 << 0, /* lines */
	HVR_LIST_COLOUR = 1 << 1,  /* of what keeps a card from a VM */
} HvrListStyle;

/* Root buses, bridges and what is below them; with names as short as @width asks for, 0: in full.
 * What keeps a card from a VM is marked. Pure. [transfer full] */
char *hvr_list_tree(const GPtrArray *items, HvrListStyle style,
		    guint width) G_GNUC_WARN_UNUSED_RESULT;

/* @item is in a card's way, or is a card that has something of its own in its way. */
gboolean hvr_list_is_culprit(const HvrListItem *item);

/* The same for Graphviz, groups as clusters, labels short. Pure. [transfer full] */
char *hvr_list_dot(const GPtrArray *items) G_GNUC_WARN_UNUSED_RESULT;

/* What is above it: a bridge's item, or NULL on a root bus. */
const HvrListItem *hvr_list_parent(GHashTable *by_path, const HvrListItem *item);
/* For hvr_list_parent(): stable path -> item. [transfer full] */
GHashTable *hvr_list_by_path(const GPtrArray *items) G_GNUC_WARN_UNUSED_RESULT;
