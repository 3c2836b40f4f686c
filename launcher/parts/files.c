/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/parts/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "launcher/parts/image-file.h"
#include "launcher/report/error.h"

/* @path: (nullable): there is nothing to ask */
static gboolean check_boot_file(const HvrUser *user, const char *what, const char *path,
				GError **error)
{
	g_auto(HvrImageFile) file = { 0 };
	const char *fault = NULL;

	if (!path)
		return TRUE;
	const HvrImageWanted wanted = { .what = what, .path = path, .flags = O_RDONLY };
	if (!hvr_image_file_look(&file, user, &wanted, error))
		return FALSE;
	if (S_ISDIR(file.mode))
		fault = "is a folder";
	else if (!S_ISREG(file.mode))
		fault = "is no file";
	else if (file.size == 0)
		fault = "is empty";
	if (!fault)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE, "%s: '%s' %s", what, path,
		    fault);
	hvr_error_hint(error, "correct the path");
	return FALSE;
}

static gboolean check_share(const HvrUser *user, const HvrProfileShare *share, GError **error)
{
	g_autofree char *what = g_strdup_printf("[share %s] path", share->id);
	g_auto(HvrImageFile) file = { 0 };
	const HvrImageWanted wanted = { .what = what,
					.path = share->path,
					.flags = O_RDONLY | O_DIRECTORY };

	return hvr_image_file_look(&file, user, &wanted, error);
}

gboolean hvr_files_check(const HvrProfile *profile, const HvrUser *user, GError **error)
{
	if (!check_boot_file(user, "[boot] kernel", profile->kernel, error) ||
	    !check_boot_file(user, "[boot] initrd", profile->initrd, error))
		return FALSE;
	for (guint i = 0; i < profile->shares->len; i++)
		if (!check_share(user, g_ptr_array_index(profile->shares, i), error))
			return FALSE;
	return TRUE;
}
