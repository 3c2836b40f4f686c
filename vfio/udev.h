/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "vfio/host.h"

/**
 * HvrUdevWatch - hears what udev has finished with, from the moment it is made.
 * udev sets owner and mode of a node only where a rule says so, but then some time after the
 * kernel's event: whoever chowns must come after it.
 */
typedef struct HvrUdevWatch HvrUdevWatch;

/* NULL where no udev runs: then there is nothing to wait for. */
HvrUdevWatch *hvr_udev_watch_new(const HvrHost *host, const char *subsystem);
void hvr_udev_watch_free(HvrUdevWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrUdevWatch, hvr_udev_watch_free)

/* Waits until udev has finished with device @name. FALSE at the deadline. NULL watch: TRUE. */
gboolean hvr_udev_watch_wait(HvrUdevWatch *watch, const char *name, guint timeout_ms);
