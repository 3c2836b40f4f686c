/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/import/source.h"
#include "launcher/import/words.h"

/* How a line ended. */
typedef enum {
	HVR_SHELL_END,	   /* at the end of a line, `;`, `&`, `|`, a bracket */
	HVR_SHELL_IF,	   /* at `&&` or `||`: what follows depends on it */
	HVR_SHELL_PATTERN, /* at `)`: in a `case` this is what a value is compared to */
} HvrShellEnd;

/* One command with nothing done to it: words have their quotes still. */
typedef struct {
	guint line;
	GPtrArray *words; /* of HvrImportWord */
	/* Of those that are NAME=( ): GPtrArray of HvrImportWord, what is in the brackets, which
	 * may be nothing; NULL: there is no such word */
	GHashTable *arrays;
	/* Where NAME() { or `function NAME {` begins: its name; NULL elsewhere */
	char *function;
	guint body_end; /* index behind the line with that function's `}`; 0: there is none */
	gsize behind;	/* how many bytes of the text are read with it */
	guint redirected;
	HvrShellEnd end;
} HvrShellLine;

/* Behind what begins at @c, and is at least one byte: a quoted text, an expansion such as ${A:-b}
 * or $(c), or one character. @depth: of those that it is in; 0 from outside */
const char *hvr_shell_skip(const char *c, guint depth);

/* What is in the brackets of one of @line's words; NULL: it has none */
const GPtrArray *hvr_shell_array_of(const HvrShellLine *line, const HvrImportWord *word);

/* (transfer full) (element-type HvrShellLine): none of them is empty */
GPtrArray *hvr_shell_lines(HvrImport *import, const char *text) G_GNUC_WARN_UNUSED_RESULT;
