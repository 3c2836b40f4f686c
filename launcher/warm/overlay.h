/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/warm/draft.h"

/**
 * hvr_warm_overlays_make - in @draft an empty image on top of that of each disk that is written to:
 * disk0.qcow2 for the first, and so on. qemu-img makes them, as the VM's user.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: there is no qemu-img, or it cannot
 */
gboolean hvr_warm_overlays_make(const HvrWarmDraft *draft, const HvrProfile *profile,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The disks of a profile as they were, in their order. */
typedef struct {
	GArray *disks; /* NULL: none was changed */
	HvrSerialMode serial;
} HvrWarmBent;

/**
 * hvr_warm_bend - have the disks that are written to be those in @folder.
 * @saving: QEMU writes to them; else to throw-away files on top of them. A guest that is saved has
 *	    no terminal either: its port is the same one.
 * To be undone by hvr_warm_unbend() before the profile is used for anything else.
 */
void hvr_warm_bend(HvrWarmBent *bent, HvrProfile *profile, const char *folder, gboolean saving);
void hvr_warm_unbend(HvrWarmBent *bent, HvrProfile *profile);
