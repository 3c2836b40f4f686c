/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

typedef struct HvrProfileKey HvrProfileKey;

/**
 * HvrValueParser - read one value.
 * @key: bounds, words and characters
 * @value: printable UTF-8, not empty
 * @folder: absolute; where relative paths start
 * @target: the field, at @key's offset in the section's struct
 *
 * Returns: FALSE with HVR_LAUNCH_ERROR_PROFILE that says what is wrong, without the place.
 */
typedef gboolean (*HvrValueParser)(const HvrProfileKey *key, const char *value, const char *folder,
				   gpointer target, GError **error);

/* One key of a section. */
struct HvrProfileKey {
	const char *name;
	HvrValueParser parse;
	gsize offset;		  /* of the field in the section's struct */
	guint64 min, max;	  /* of a number, a size in bytes, a text's length */
	const char *const *words; /* the values there are, NULL-terminated; or what a list takes */
	const char *characters;	  /* besides ASCII letters and digits */
	const char *fallback;	  /* read like a value where the key is not given; may be NULL */
	gboolean required;
	const char *one_of; /* of the keys with the same text only one may be given */
	const char *sample; /* a value as a user would write it */
	const char *help;   /* one line */
};

/* One kind of section. */
typedef struct {
	const char *name;
	gboolean named;	   /* "[device npu]", any number up to @most; else "[vm]", once */
	guint most;	   /* named: how many there may be */
	gsize list_offset; /* named: of the GPtrArray in HvrProfile that its structs go to */
	gsize entry_size;  /* named: of such a struct; its first member is "char *id" */
	gsize n_keys;	   /* at most HVR_PROFILE_KEYS_MAX */
	const HvrProfileKey *keys;
	const char *help; /* one line */
} HvrProfileSection;

#define HVR_PROFILE_KEYS_MAX 16

/**
 * hvr_profile_table - every section and key that a profile can have.
 * @out_length: (out) (optional): number of sections
 *
 * The parser, "--help", the man page and the fuzzer's dictionary all read this one table.
 *
 * Returns: (transfer none): the first section; behind the last stands one whose name is NULL.
 */
const HvrProfileSection *hvr_profile_table(gsize *out_length);

/* The section of that name, or NULL. */
const HvrProfileSection *hvr_profile_section(const char *name);

/* The index of a key in @section's keys, or -1. */
int hvr_profile_key_index(const HvrProfileSection *section, const char *name);
