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

/* The words of a text that is a command's, or part of one. FALSE: it has none, or cannot be split
 */
gboolean hvr_import_words_split(GPtrArray *words, guint line, const char *text);

/* How many bytes of @text, from its begin, are a variable's name. */
gsize hvr_import_name_length(const char *text);

/* Nothing is expanded: TRUE, with a note of @what: @text holds a variable, or a command whose
 * output would be in its place. */
gboolean hvr_import_note_variable(HvrImport *import, guint line, const char *text,
				  const char *what);

/* NAME=value, NAME+=value, NAME=( words ) */
typedef struct {
	char *name;
	gboolean appends;  /* by += */
	const char *value; /* of the command's first word; NULL: it is an array */
	GPtrArray *words; /* of HvrImportWord: an array's, without its brackets; NULL: it is none */
} HvrImportAssignment;
void hvr_import_assignment_clear(HvrImportAssignment *assignment);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrImportAssignment, hvr_import_assignment_clear)

/* FALSE: @command is none, or does something else besides. */
gboolean hvr_import_assignment(const GPtrArray *command, HvrImportAssignment *out_assignment);

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
