/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/import/source.h"
#include "launcher/profile/table.h"

/* How a profile is made of it. Nothing is owned. */
typedef struct {
	const char *source; /* the file that was read: relative paths begin in its folder */
	const char
		*output; /* (nullable): the profile's file; NULL: it may come to stand anywhere */
	HvrImportFormat format;
} HvrDraftPlace;

typedef struct {
	const HvrProfileKey *key;
	char *value;
	guint line;	     /* 0: nobody said it */
	HvrImportPart *part; /* where it is from; NULL: nobody said it */
	HvrImportField *field;
	gboolean dropped;
} HvrDraftItem;

typedef struct {
	const HvrProfileSection *kind;
	char *name; /* NULL: there is one of it */
	HvrImportPart *part;
	GPtrArray *items;
	gboolean dropped;
} HvrDraftSection;

typedef struct {
	HvrImport *import;
	const HvrDraftPlace *place;
	GPtrArray *sections;
} HvrDraft;

/* A GDestroyNotify */
void hvr_draft_section_free(gpointer section);

/* All parts become sections and items of theirs, in the table's order. @import has a note of what
 * has no key, or not this value. */
void hvr_draft_take(HvrDraft *draft);

/* A name, and memory, where nobody has said any, or what was said has been dropped. */
void hvr_draft_add_defaults(HvrDraft *draft);

/* (nullable): the key without which the section means nothing, or another thing */
const char *hvr_draft_missing_key(const HvrDraftSection *section);
