/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The serial port's file is emptied at each start, and swtpm makes its own of an empty one: whoever
 * names a file twice has lost what was in it.
 */
#include "launcher/profile/check-written.h"

#include <string.h>

#include "launcher/report/error.h"

/* Also of a disk that is only read: it is another's that would write to it.
 * @out_key: (out): the key that names it. Returns: NULL: none */
static const char *find_file(const HvrProfile *profile, const HvrProfilePart *part,
			     const char **out_key)
{
	const char *section = part->kind->name;
	const HvrProfileDisk *disk = part->base;

	*out_key = "file";
	if (strcmp(section, "disk") == 0)
		return disk->file;
	if (strcmp(section, "serial") == 0 && profile->serial == HVR_SERIAL_FILE)
		return profile->serial_file;
	*out_key = "vars";
	if (strcmp(section, "firmware") == 0 && profile->firmware.uefi)
		return profile->firmware.vars;
	*out_key = "state";
	if (strcmp(section, "tpm") == 0 && profile->tpm.model != HVR_TPM_NONE)
		return profile->tpm.state;
	return NULL;
}

gboolean hvr_profile_check_written(const char *file, const HvrProfile *profile,
				   const HvrProfilePart *a, const HvrProfilePart *b, GError **error)
{
	const char *theirs, *ours;
	const char *first = find_file(profile, a, &theirs);
	const char *second = find_file(profile, b, &ours);

	if (!first || g_strcmp0(first, second) != 0)
		return TRUE;
	HvrProfileLine place = hvr_profile_part_place(b, ours);
	HvrProfileLine other = hvr_profile_part_place(a, theirs);
	hvr_profile_fail(error, file, &place, "is also [%s] %s", other.section, theirs);
	hvr_error_hint(error, "one writes over what the other has: name two files");
	return FALSE;
}
