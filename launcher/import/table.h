/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/import/source.h"

/* What a value of a source is in a profile. */
typedef struct {
	char *value; /* NULL: nothing, for the reason that @why is */
	/* (nullable): static: why it is not there, or what is lost of it */
	const char *why;
	gboolean needless; /* @why is a reason to have no key: it is so anyway */
} HvrImportValue;

/**
 * One key of a profile, and what it is called elsewhere. A key that a profile gains joins by one
 * row.
 */
typedef struct {
	const char *section, *key;
	/* By HvrImportFormat: names of fields, with '|' between them, of which the first that is
	 * there counts; NULL: none */
	const char *words[HVR_IMPORT_N_FORMATS];
	/* NULL: as it stands. The key's own parser judges what comes of it. */
	HvrImportValue (*convert)(const char *value);
	gboolean path; /* it is one: from the source's folder */
} HvrImportRow;

/* Behind the last stands one without a section. */
extern const HvrImportRow hvr_import_rows[];

/* As a VM's or a section's name: small letters, digits and '-', a letter first; "" where nothing is
 * left of it. [transfer full] */
char *hvr_import_plain_name(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Why something has no key. */
typedef struct {
	const char *why;
	gboolean needless;
} HvrImportReason;

/* Of a field of a part that is in the profile, and of the machine. */
HvrImportReason hvr_import_field_reason(const HvrImportPart *part, const HvrImportField *field);

/* Of a part that is in no section. */
HvrImportReason hvr_import_part_reason(const HvrImportPart *part);

/* Of a part that would be one, but for this; NULL: it is. Static */
const char *hvr_import_part_refusal(const HvrImportPart *part);
