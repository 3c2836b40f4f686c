/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/include.h"
#include "launcher/profile/overrides.h"
#include "launcher/profile/profile.h"

/**
 * hvr_profile_read - from a profile's text to what it says, see hvr_profile_load().
 * @file: only named in messages; gives the folder and the default name
 * @changes: (nullable)
 * @reader: for the files that it includes
 */
HvrProfile *hvr_profile_read(const char *file, const char *text, gsize length,
			     const HvrProfileChanges *changes, HvrProfileReader reader,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same without files: an include is refused. @sets: (nullable): as of HvrProfileChanges */
HvrProfile *hvr_profile_parse(const char *file, const char *text, gsize length,
			      const char *const *sets, GError **error) G_GNUC_WARN_UNUSED_RESULT;
