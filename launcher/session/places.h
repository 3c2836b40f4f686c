/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"
#include "launcher/runtime/vm.h"

/**
 * HvrPlaces - what a VM has of the host, remembered before something is done to it, so that
 * afterwards people can be told where it is.
 */
typedef struct {
	const HvrContext *context;
	const HvrVm *vm;    /* as it was then; borrowed */
	GPtrArray *entries; /* of HvrJournalEntry: all that there are */
} HvrPlaces;

/* Reads the journal. The caller clears it. */
void hvr_places_remember(HvrPlaces *places, const HvrContext *context, const HvrVm *vm);
void hvr_places_clear(HvrPlaces *places);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrPlaces, hvr_places_clear)

/**
 * hvr_places_tell - where each of its functions is now, by a look at the host and not by what has
 * been answered: "npu: 0000:02:00.0 is back on hailo", a message each, a warning for what is not
 * where it was.
 * @section: (nullable): of this [device] alone, with the rest of its group
 * @kept: it was wanted on vfio-pci, whatever its profile says
 */
void hvr_places_tell(const HvrPlaces *places, const char *section, gboolean kept);
