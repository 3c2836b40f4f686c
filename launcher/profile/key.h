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
