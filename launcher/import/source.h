/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/*
 * What a configuration of another program says, before anybody knows what a profile makes of it:
 * parts, and their fields, each with its line. Whatever a parser reads becomes a field, and each
 * field ends as a key of the profile or in a note: nothing is lost without a word.
 *
 * All of it is text of others, and stays so: nothing here is checked, nothing is opened.
 */

typedef enum {
	HVR_IMPORT_LIBVIRT,
	HVR_IMPORT_QUICKEMU,
	HVR_IMPORT_PROXMOX,
	HVR_IMPORT_QEMU,
	HVR_IMPORT_N_FORMATS,
} HvrImportFormat;

/* "libvirt", as --format has it. Static */
const char *hvr_import_format_name(HvrImportFormat format);

typedef struct {
	guint line; /* from 1 */
	char *name; /* of the format's own words: "target.bus", "smp.cores" */
	char *value;
	gboolean told; /* it is in the profile, or in a note */
} HvrImportField;

/* One section of the profile, or what may become one. */
typedef struct _HvrImportPart HvrImportPart;
struct _HvrImportPart {
	HvrImportFormat format; /* whose words its fields are named by */
	/* "disk"; NULL: of the machine itself; what is no section, such as "-chardev": a profile
	 * has no such */
	const char *section;
	gboolean gone; /* another part has it */
	char *shown;   /* as the source has it: "<disk>", "-drive" */
	char *id;      /* (nullable): a name for the section, such as the source's own */
	guint line;
	int rank;	   /* the least is booted first */
	GPtrArray *fields; /* of HvrImportField */
	/* (nullable): a card in front of this one, as one more function of whose slot this is, */
	const HvrImportPart *with;
	HvrImportField *with_field; /* and which of the fields says so */
};

/* What is not in the profile. */
typedef struct {
	guint line; /* 0: in none */
	char *what, *why;
	gboolean needless; /* nothing is lost: the program does so by itself */
} HvrImportNote;

typedef struct {
	GPtrArray *parts; /* of HvrImportPart */
	GPtrArray *notes; /* of HvrImportNote */
	guint n_fields;	  /* in all parts, and parts */
} HvrImport;

HvrImport *hvr_import_new(void) G_GNUC_WARN_UNUSED_RESULT;
void hvr_import_free(HvrImport *import);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrImport, hvr_import_free)

/* What a source may have: more is nobody's machine. hvr_import_is_full() says when to stop. */
#define HVR_IMPORT_MOST 4096
gboolean hvr_import_is_full(const HvrImport *import);

/* (transfer none): a new part at the end. @section: static; as of HvrImportPart */
HvrImportPart *hvr_import_add_part(HvrImport *import, HvrImportFormat format, const char *section,
				   guint line, const char *shown);

/* In a name or a value, in place of a `$`: what follows is known only where a script runs. Such a
 * field is never a key; a note shows it with the `$`. */
#define HVR_IMPORT_UNKNOWN '\x01'

/* A field with an HVR_IMPORT_UNKNOWN is told by a note at once. */
void hvr_import_add(HvrImport *import, HvrImportPart *part, guint line, const char *name,
		    const char *value);

/* Why such a thing is not in the profile. */
#define HVR_IMPORT_UNKNOWN_WHY "what stands for that is known only where the script runs"

/* The first field of that name that nobody has told of; NULL: there is none */
HvrImportField *hvr_import_find(const HvrImportPart *part, const char *name);

/* Its value, "" where there is none. */
const char *hvr_import_get(const HvrImportPart *part, const char *name);

/* The same, and it is told. */
const char *hvr_import_take(HvrImportPart *part, const char *name);

/* Moves all fields of @from, which is gone then, to @to. */
void hvr_import_merge(HvrImport *import, HvrImportPart *to, HvrImportPart *from);

/* Everything of it is told. */
void hvr_import_tell_all(HvrImportPart *part);

/* @what, @why: may hold anything: they are made harmless, and bounded */
void hvr_import_note(HvrImport *import, guint line, const char *what, const char *why,
		     gboolean needless);

/* The same of a field, named "SHOWN NAME = VALUE"; a secret's value is not shown. Of what is
 * needless the first part of the name will do. It is told. */
void hvr_import_note_field(HvrImport *import, const HvrImportPart *part, HvrImportField *field,
			   const char *why, gboolean needless);

/* The same of a whole part. */
void hvr_import_note_part(HvrImport *import, HvrImportPart *part, const char *why,
			  gboolean needless);
