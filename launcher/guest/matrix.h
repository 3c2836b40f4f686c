/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * `test --matrix`: a list of jobs, each a command line of `test`, made of guests, cards and
 * commands: every guest with every card and every command, in the file's order.
 *
 *   [matrix]                   options: words of `test` for every job
 *   [guest NAME]               profile (default: NAME), set, options
 *   [card NAME]                set, options; there may be none
 *   [command NAME]             run: the command's words; set, options
 *
 * Words are quoted as for a shell, of which nothing else is known; those of `set` are each
 * SECTION.KEY=VALUE.
 */
typedef struct {
	char *name;  /* "GUEST/CARD/COMMAND" */
	char **argv; /* behind "test" */
} HvrMatrixJob;

/**
 * hvr_matrix_parse - pure.
 * @file: only named in messages
 * Returns: (transfer full): of HvrMatrixJob, at least one; NULL with HVR_LAUNCH_ERROR_PROFILE
 */
GPtrArray *hvr_matrix_parse(const char *file, const char *text, gsize length,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same of a file that is opened as the caller. Errors: also HVR_LAUNCH_ERROR_USAGE and
 * _PERMISSION */
GPtrArray *hvr_matrix_read(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
