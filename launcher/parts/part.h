/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/firmware.h"
#include "launcher/process/user.h"

/**
 * HvrParts - what this host has for the parts of a VM beside its cards, and whose they are.
 * Gathered once, by hvr_parts_gather(), before anything is changed.
 */
typedef struct {
	const HvrUser *user;   /* who uses them; borrowed */
	char *unreadable;      /* a file of the profile that is missing or that the VM's user
				  cannot use: a message; NULL when all is well */
	HvrFirmware *firmware; /* NULL: the profile wants none, or there is none */
	GPtrArray *share_ways; /* of HvrShareWay, one for each share; NULL: all by 9p */
	GError *lacking;       /* what keeps a part from being made, or NULL */
	GPtrArray *made;       /* files that hvr_parts_create() made; NULL: not noted */
} HvrParts;
