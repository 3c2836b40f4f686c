/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

typedef struct {
	guint line;
	/* of an `if`, a loop, or a ${NAME:-default} by which it is there: nobody asks; 0: none */
	guint condition;
	char *text;
} HvrImportWord;

/* (element-type HvrImportWord) */
GPtrArray *hvr_import_words_new(void) G_GNUC_WARN_UNUSED_RESULT;
HvrImportWord *hvr_import_words_add(GPtrArray *words, guint line, const char *text);

/* The words of a text that is a command's, or part of one, without variables. FALSE: it has none,
 * or cannot be split */
gboolean hvr_import_words_split(GPtrArray *words, guint line, const char *text);

/* How many bytes of @text, from its begin, are a variable's name. */
gsize hvr_import_name_length(const char *text);
