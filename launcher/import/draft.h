/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/import/draft-sections.h"

/**
 * hvr_draft_text - a profile of all that has a key, with comments. Pure.
 *
 * Each value is read by its key's own parser, and the whole as a profile is: what that refuses is
 * left out with the reason, so that what is returned is a profile. @import has a note of all else
 * after it. Errors: HVR_LAUNCH_ERROR_INTERNAL: it could not be made one
 */
char *hvr_draft_text(HvrImport *import, const HvrDraftPlace *place,
		     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A line for each thing that is not in the profile, in the source's order; the same thing at
 * several lines is told once. (transfer full) (element-type utf8) */
GPtrArray *hvr_draft_notes(const HvrImport *import, gboolean needless) G_GNUC_WARN_UNUSED_RESULT;
