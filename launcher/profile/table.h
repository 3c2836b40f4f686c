/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/key.h"

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
