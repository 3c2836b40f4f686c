/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/profile/lines.h"
#include "launcher/profile/table.h"

/* One section while a profile is read. */
typedef struct {
	const HvrProfileSection *kind;
	const char *name;	      /* of a named one, else NULL */
	const HvrProfileLine *header; /* where it begins; NULL: it is not there */
	/* The line that gave each key of the kind; NULL: not given. */
	const HvrProfileLine *given[HVR_PROFILE_KEYS_MAX];
	gpointer base; /* what the keys' offsets count from */
} HvrProfilePart;

/* The line that gave @key, or NULL. */
const HvrProfileLine *hvr_profile_part_line(const HvrProfilePart *part, const char *key);

/* A line that stands for @key of @part, given or not, for a message about it. */
HvrProfileLine hvr_profile_part_place(const HvrProfilePart *part, const char *key);
