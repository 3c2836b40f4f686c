/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/import/shell-expand.h"
#include "launcher/import/shell-lines.h"
#include "launcher/import/shell.h"

/* What shell.c and shell-calls.c know of a script while they read it. */

/* A name that is a function's own, and what it is outside; NULL: nobody has set it */
typedef struct {
	char *name;
	GPtrArray *outside;
} HvrShellLocal;

struct _HvrImportShell {
	HvrShellVariables variables;
	GPtrArray *commands; /* of HvrImportCommand */
	GArray *conditions;  /* lines of those that are open */
	guint patterns;	     /* of the conditions, those that are a `case` */
	guint depends;	     /* the line of an `&&` in front; 0: none */

	HvrImport *import;
	GPtrArray *lines;      /* of HvrShellLine */
	GHashTable *functions; /* name: index of the line that it begins in, with one added */
	GHashTable *called;    /* a set of these */
	GArray *open;	       /* indices of those that are read now, as they call each other */
	guint outer;	       /* the condition of their calls; 0: none */
	GPtrArray *changed;    /* names of what they have set */
	GPtrArray *locals;     /* of HvrShellLocal */
	gsize left;	       /* of MOST_CALLED_BYTES */
};

/* ---------------------------------------------------------------------- of commands (shell.c) */

/* The line of the condition that what is read now depends on, in its function, or outside of all;
 * 0: on none */
guint hvr_shell_own_condition(const HvrImportShell *shell);

/* NAME=VALUE or NAME+=VALUE: where the sign is; NULL: it is none */
const char *hvr_shell_find_sign(const char *word);

/* Is a variable's value words for QEMU, or nothing? */
gboolean hvr_shell_is_options(const GPtrArray *texts);

/* Adds the line's command to those of @shell, or sets what it sets. */
void hvr_shell_read_line(HvrImportShell *shell, const HvrShellLine *line);

/* ---------------------------------------------------------------- of functions (shell-calls.c) */

void hvr_shell_calls_init(HvrImportShell *shell);
void hvr_shell_calls_clear(HvrImportShell *shell);

/* Those from the index @from to in front of @end. A function's body is remembered, not read. */
void hvr_shell_read_lines(HvrImportShell *shell, guint from, guint end);

/* The body of the function that @texts, the words of @call, begin with is read; its "$@" are those
 * behind the first, which is taken off. FALSE: they call none, or one that is read just now, or
 * too many have been called, which a note tells of; nothing has changed */
gboolean hvr_shell_call(HvrImportShell *shell, const HvrShellLine *call, GPtrArray *texts);

/* In their order; those whose call is not seen, or which nobody calls. */
void hvr_shell_read_uncalled(HvrImportShell *shell);

/* What the name that @word, NAME or NAME=VALUE, begins with holds is kept in @shell->locals; a NAME
 * alone, or a NAME+=VALUE, has no value from there on */
void hvr_shell_keep(HvrImportShell *shell, const char *word);

/* The locals from the index @from on are what they were outside again. */
void hvr_shell_bring_back(HvrImportShell *shell, guint from);

/* In a function, of a line with `local NAME` or `declare NAME`: these names are its own, up to its
 * end. @from: the index of that word; @first: of the first name */
void hvr_shell_keep_outside(HvrImportShell *shell, const GPtrArray *words, guint from, guint first);
