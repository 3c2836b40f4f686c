/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/*
 * A profile's text is changed line by line, so that its comments stay. All of it is pure, and knows
 * of a profile no more than its [sections], and that a key in a comment is "#key = value".
 */

/**
 * hvr_edit_set - give a key its value: in the line where it is, else in the comment that shows it,
 * else in a line of its own below the section's header.
 * @text: has that section: "vm", "device npu"
 * @value: one line
 */
void hvr_edit_set(GString *text, const char *section, const char *key, const char *value);

/* Makes comments of the section's header and keys; of one key alone where @key is not NULL. */
void hvr_edit_comment(GString *text, const char *section, const char *key);
