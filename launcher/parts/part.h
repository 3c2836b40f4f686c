/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/firmware.h"
#include "launcher/process/user.h"

/* What should be known of a disk's images, and keeps no VM from starting. */
typedef struct {
	char *text;	  /* "disk root: ..." */
	const char *fix;  /* what one can do about it; static */
	gboolean unknown; /* it says what was not looked at */
} HvrImageNote;

/**
 * HvrImages - what was seen of all disks.
 */
typedef struct {
	guint64 device, inode;
	guint64 number; /* of a block device itself; else 0 */
	guint disk;	/* whose it is: number in the profile */
	gboolean writes;
} HvrImageUsed;
typedef struct {
	GPtrArray *notes;      /* of HvrImageNote */
	GArray *used;	       /* of HvrImageUsed: all files of all chains */
	guint32 block_devices; /* bit i: disk i of the profile is a block device */
	GPtrArray *files;      /* of char *: their paths */
} HvrImages;

/**
 * HvrParts - what this host has for the parts of a VM beside its cards, and whose they are.
 * Gathered once, by hvr_parts_gather(), before anything is changed.
 */
typedef struct {
	const HvrUser *user;   /* who uses them; borrowed */
	GError *unreadable;    /* a file of the profile that is missing, or that the VM's user or
				  QEMU cannot use; NULL when all is well */
	HvrImages images;      /* what was seen of the disks */
	HvrFirmware *firmware; /* NULL: the profile wants none, or there is none */
	GPtrArray *share_ways; /* of HvrShareWay, one for each share; NULL: all by 9p */
	GError *lacking;       /* what keeps a part from being made, or NULL */
	GArray *ports;	       /* of guint16, as HvrPorts has them; empty until they are taken */
	GPtrArray *made;       /* files that hvr_parts_create() made; NULL: not noted */
} HvrParts;
