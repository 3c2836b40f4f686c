/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/import/words.h"

/* Where a byte is from: as of HvrImportWord. */
typedef struct {
	guint line, condition;
} HvrShellMark;

typedef struct {
	GString *bytes;
	GArray *marks; /* of HvrShellMark, one for each of @bytes */
} HvrShellText;

/* What a script has set so far. */
typedef struct {
	GHashTable *values; /* by name: GPtrArray of HvrShellText */
	gsize left;	    /* bytes that may still come of expansions */
} HvrShellVariables;

void hvr_shell_variables_init(HvrShellVariables *variables);
void hvr_shell_variables_clear(HvrShellVariables *variables);

/* (element-type HvrShellText) */
GPtrArray *hvr_shell_texts_new(void) G_GNUC_WARN_UNUSED_RESULT;

/* Adds the texts of @texts to those that @name has. */
void hvr_shell_append(HvrShellVariables *variables, const char *name, const GPtrArray *texts);

/* @texts: taken */
void hvr_shell_set(HvrShellVariables *variables, const char *name, GPtrArray *texts);

/* From here on nobody knows what it holds. */
void hvr_shell_forget(HvrShellVariables *variables, const char *name);

/**
 * hvr_shell_expand - adds what a word, as it is written, becomes to @texts: none, one or many.
 * @mark: where it stands
 * @split: a variable outside of quotes may become several, as in a command; not in NAME=$VALUE
 */
void hvr_shell_expand(HvrShellVariables *variables, const char *word, HvrShellMark mark,
		      gboolean split, GPtrArray *texts);

/* As what one reads. [transfer none in, adds to @words] @mark: of a text without a byte */
void hvr_shell_to_words(const GPtrArray *texts, HvrShellMark mark, GPtrArray *words);
