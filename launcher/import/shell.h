/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/import/source.h"
#include "launcher/import/words.h"

/*
 * A shell script as text. Nothing of it is run: its variables are those that it sets itself, to
 * what it says; of what only a shell that runs it would know, HVR_IMPORT_UNKNOWN stands in a word.
 *
 *   text -> lines of words as they are written (shell-lines.c) -> commands and assignments, their
 * words unquoted and expanded, in the order in which they would be run (shell.c, shell-calls.c,
 * shell-expand.c)
 */

/* What the shell would run, or set, one by one. */
typedef struct {
	guint line;
	char *name;	  /* of the variable that is set; NULL: it is a command */
	gboolean appends; /* by += */
	gboolean array;	  /* NAME=( words ) */
	GPtrArray *words; /* of HvrImportWord: of a variable that is no array, one or none */
	guint condition;  /* as of HvrImportWord */
	guint redirected; /* the line of a `>` or `<`; 0: none */
} HvrImportCommand;

typedef struct _HvrImportShell HvrImportShell;

/**
 * hvr_import_shell_read - a script's commands in the order of its text, whatever `if` or loop they
 * are in; a function's where it is called, or behind all others.
 * @import: gets a note of a quote that never ends
 *
 * Bounded: expansions are, in all, of a size that no script for a VM has; what is behind that is
 * unknown. Returns: (transfer full)
 */
HvrImportShell *hvr_import_shell_read(HvrImport *import,
				      const char *text) G_GNUC_WARN_UNUSED_RESULT;
void hvr_import_shell_free(HvrImportShell *shell);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrImportShell, hvr_import_shell_free)

/* (element-type HvrImportCommand): as long as @shell lives */
const GPtrArray *hvr_import_shell_commands(const HvrImportShell *shell);

/* What a variable holds at the end, as words; of one that is no @array, split at its blanks.
 * (transfer full) */
GPtrArray *hvr_import_shell_value(HvrImportShell *shell, const char *name,
				  gboolean array) G_GNUC_WARN_UNUSED_RESULT;
