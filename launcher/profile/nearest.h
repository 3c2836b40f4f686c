/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * hvr_nearest - the name that was probably meant.
 * @word: what was written
 * @names: NULL-terminated
 *
 * Counts inserted, deleted, changed and swapped characters; more than one in three are too many.
 * Of two equally near names the first wins.
 *
 * Returns: one of @names, or NULL where none is near.
 */
const char *hvr_nearest(const char *word, const char *const *names);
