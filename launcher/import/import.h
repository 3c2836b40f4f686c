/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/import/source.h"

/* What is to be made into a profile. Nothing is owned. */
typedef struct {
	const char *file;   /* it is from there; only named */
	const char *format; /* (nullable): as of hvr_import_format_name(); NULL: by what is in it */
	const char *output; /* (nullable): where the profile will be */
	const char *text;
	gsize length;
} HvrImportWish;

/* What came of it. */
typedef struct {
	char *text;	     /* a profile, with comments */
	GPtrArray *left;     /* of char *: a harmless line for each thing that is not in it */
	GPtrArray *needless; /* the same of what needs no key */
} HvrImported;
void hvr_imported_clear(HvrImported *imported);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrImported, hvr_imported_clear)

/* The names of all formats, NULL behind the last. */
extern const char *const hvr_import_formats[];

/**
 * hvr_import_make - a profile of a configuration of another program. Pure: nothing that it names is
 * opened, looked up or run.
 *
 * Everything that it says is in @out_imported: as a key, or as a line that says why not.
 * Errors: HVR_LAUNCH_ERROR_USAGE: there is no such format, or it is of none; _PROFILE: it is no
 * text, is not of that format, or says more than anybody's machine has
 */
gboolean hvr_import_make(const HvrImportWish *wish, HvrImported *out_imported,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;
