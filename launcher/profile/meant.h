/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/profile/check.h"

/* Of a section or key that is not there as it was written: the hint which was meant, "did you mean
 * 'disk.root'?", where that can be told. @parts: of HvrProfilePart, what has been read so far. */

/* @name is no kind of section: is one of @parts called so? */
void hvr_profile_hint_kind(GError **error, const GPtrArray *parts, const char *name);

/* A section of @kind without a name: is there one of them alone? */
void hvr_profile_hint_unnamed(GError **error, const GPtrArray *parts,
			      const HvrProfileSection *kind);

/* @part was made by --set: is another's name near? */
void hvr_profile_hint_part(GError **error, const GPtrArray *parts, const HvrProfilePart *part);

/* @word is no SECTION.KEY=VALUE: is it the key of a section that has no name? */
void hvr_profile_hint_key(GError **error, const char *word);
