/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

#define HVR_BARS 6

/* Can QEMU show a BAR longer than it is, with a table of its own at the end, or make one there?
 * By vfio_pci_relocate_msix() in its hw/vfio/pci.c. */
typedef enum {
	HVR_BAR_GROWS, /* memory, or none yet */
	HVR_BAR_IO,
	HVR_BAR_UPPER, /* the upper half of the 64-bit one before it */
	HVR_BAR_FULL,  /* twice its bytes are not to be had below 4 GiB */
} HvrBarKind;

/**
 * HvrBars - how much of a bridge's two windows of memory functions take, in bytes. A window that
 * begins where the largest BAR may has room for all of them without gaps, largest first.
 */
typedef struct {
	guint64 prefetchable;	    /* 64-bit prefetchable BARs, which may lie above 4 GiB */
	guint64 memory;		    /* all other memory, which is below */
	guint64 rom;		    /* the ROM, below as well */
	HvrBarKind kinds[HVR_BARS]; /* of one function, not of a sum */
} HvrBars;

/**
 * hvr_bars_read - what the kernel has found in the BARs of the function @name: its attribute
 * "resource" (resource_show() in Linux's drivers/pci/pci-sysfs.c), whose first six lines they are,
 * and whose seventh is the ROM. Virtual functions' are behind it, and are nothing that a guest
 * sees. All 0 where there is no such attribute. Wakes nothing.
 */
void hvr_bars_read(const HvrHost *host, const char *name, HvrBars *out_bars);

/* @sum has @more, too. */
void hvr_bars_add(HvrBars *sum, const HvrBars *more);

/* The window for so many bytes: the next power of two, to which firmware rounds anyway. */
guint64 hvr_bars_window(guint64 bytes);
