/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/import/source.h"

/*
 * A shell script as text: its lines' words. Nothing of it is run, and no variable is looked up.
 */

typedef struct {
	guint line;
	char *text;
} HvrImportWord;

/* (element-type HvrImportWord) */
GPtrArray *hvr_import_words_new(void) G_GNUC_WARN_UNUSED_RESULT;
void hvr_import_words_add(GPtrArray *words, guint line, const char *text);

/**
 * hvr_import_shell_lines - a script's commands, each as its words.
 * @import: gets a note of what cannot be split into words
 *
 * What stands on several lines, behind a backslash or within quotes, is one command, and so is an
 * array: NAME=( ... ) over all its lines. Words are split and unquoted by g_shell_parse_argv();
 * each knows its line. Returns: (transfer full) (element-type GPtrArray of HvrImportWord): none of
 * them is empty
 */
GPtrArray *hvr_import_shell_lines(HvrImport *import, const char *text) G_GNUC_WARN_UNUSED_RESULT;
