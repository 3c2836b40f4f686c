/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/runtime/journal.h"
#include "launcher/session/session.h"

/*
 * What comes into a VM by one `plug`, and in which order. Of both @sections (of const
 * HvrProfileDevice) are those of a slot, function 0 first; @groups (of int) are their IOMMU groups.
 */

/**
 * hvr_plug_prepared - what the journal says that QEMU is to get of the groups: functions 1 and on
 * of the slot, function 0, and companions of their groups. [transfer full] array of HvrJournalEntry
 */
GPtrArray *hvr_plug_prepared(const HvrSession *session, const GPtrArray *sections,
			     const GArray *groups) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none): the section that brought it along. */
const HvrProfileDevice *hvr_plug_section_of(const GPtrArray *sections,
					    const HvrJournalEntry *entry);

gboolean hvr_plug_has_group(const GArray *groups, int group);
