/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * hvr_nearest - the name that was probably meant.
 * @word: what was written
 * @names: NULL-terminated
 *
 * Counts inserted, deleted, changed and swapped characters; more than one in three are too many.
 * Of two equally near names the first wins. Where none is near it is the only one that begins with
 * @word, of two characters or more.
 *
 * Returns: one of @names, or NULL where none is near.
 */
const char *hvr_nearest(const char *word, const char *const *names);

/* Appends "did you mean 'NAME'?" to @error, where one of @names is near. Any other hint then comes
 * too late: see hvr_error_hint(). */
void hvr_nearest_hint(GError **error, const char *word, const char *const *names);
