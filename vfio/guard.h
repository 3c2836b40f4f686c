/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"
#include "vfio/inventory.h"

/* The module of vfio/guard/, as modprobe knows it. */
#define HVR_GUARD_MODULE "hailo-vm-run-guard"
/* Ids that it takes: its IDS_MAX. */
#define HVR_GUARD_MOST 16

/**
 * HvrGuard - what the guard module does on this host: it keeps bus resets from the cards that it
 * was told. Nothing is guarded where it is not installed.
 */
typedef struct {
	gboolean loaded;
	char **cards; /* of a loaded one: the addresses of what it keeps bus resets from */
	/* Of one that is not loaded, by hvr_guard_ask(); both are NULL where that was not asked. */
	char *options; /* with which modprobe would load it */
	char *problem; /* why it would not */
} HvrGuard;

/* Looks at one file, or two, and starts no process. [transfer full] */
HvrGuard *hvr_guard_look(const HvrHost *host) G_GNUC_WARN_UNUSED_RESULT;
void hvr_guard_free(HvrGuard *guard);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrGuard, hvr_guard_free)

/* Would modprobe load it? Starts one, and loads nothing. Of a loaded one nothing is asked. */
void hvr_guard_ask(const HvrHost *host, HvrGuard *guard);

/* Is there a file of it for the running kernel? Looks in the dozen places where one may be. */
gboolean hvr_guard_is_installed(const HvrHost *host);

/**
 * hvr_guard_keeps - is @function, or another one on its bus, guarded now? One with the flag is
 * enough for all of the bus: pci_bus_resettable() in Linux's drivers/pci/pci.c asks each.
 * @guard: (nullable): not looked at, so nothing is guarded
 */
gboolean hvr_guard_keeps(const HvrGuard *guard, const HvrPciFunction *function);

/**
 * hvr_guard_would_keep - would an installed module keep bus resets from @function, once loaded?
 * FALSE where it is loaded, and where hvr_guard_ask() has not found that it can be. Which cards it
 * is for say its options, "ids=...", or its own list, which is what vfio/quirks.c switches the
 * resets off for.
 */
gboolean hvr_guard_would_keep(const HvrGuard *guard, const HvrPciFunction *function);
