/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/import/source.h"

/* One option string of QEMU's, or of Proxmox, and where its fields go. */
typedef struct {
	guint line;
	const char *prefix;  /* in front of each field's name: "smp." */
	const char *implied; /* (nullable): the name of a first field that has none */
	const char *text;
} HvrImportOptions;

/**
 * hvr_import_options - adds the fields of "a=b,c=d" to @part; of QEMU's JSON form, too, in which a
 * member of a member is "file.filename".
 *
 * As QEMU reads it (util/keyval.c, util/qemu-option.c): a comma that is doubled is one of the
 * value, and a word without "=" behind the first is "on". JSON that is none, or is deep, is a note.
 */
void hvr_import_options(HvrImport *import, HvrImportPart *part, const HvrImportOptions *options);
