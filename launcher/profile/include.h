/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* Reads a whole file; see hvr_profile_load(). Returns: (transfer full): or NULL with @error. */
typedef char *(*HvrProfileReader)(const char *file, gsize *out_length, GError **error);

/**
 * hvr_profile_include - the lines of a profile, behind those of the one that it includes.
 * @reader: how an included file is read; NULL: there are no files, so an include is refused
 *
 * What an including file says takes the place of what the included one says: the same key, and
 * keys that exclude each other with it. Each line knows its file.
 *
 * Returns: (transfer container): of HvrProfileLine, or NULL with HVR_LAUNCH_ERROR_PROFILE or
 * _PERMISSION. A file that leads back to itself and a chain of more than 8 are refused.
 */
GPtrArray *hvr_profile_include(const char *file, const char *text, gsize length,
			       HvrProfileReader reader, GError **error) G_GNUC_WARN_UNUSED_RESULT;
