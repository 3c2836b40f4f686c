/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/profile/part.h"

const HvrProfileLine *hvr_profile_part_line(const HvrProfilePart *part, const char *key)
{
	int index = hvr_profile_key_index(part->kind, key);

	if (index < 0)
		return NULL;
	return part->given[index];
}

HvrProfileLine hvr_profile_part_place(const HvrProfilePart *part, const char *key)
{
	const HvrProfileLine *line = hvr_profile_part_line(part, key);
	HvrProfileLine place = { .section = (char *)part->kind->name, .key = (char *)key };

	if (!line)
		line = part->header;
	if (line) {
		place.from_set = line->from_set;
		place.file = line->file;
		place.line = line->line;
		place.section = line->section;
	}
	return place;
}
