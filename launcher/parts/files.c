/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/parts/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "launcher/parts/image-file.h"
#include "launcher/parts/image-header.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"

#define KERNEL "[boot] kernel"

/* QEMU unpacks no kernel: it takes the bytes for one of the first Linuxes, and the guest hangs
 * without a word (x86_load_linux() in hw/i386/x86.c). */
static gboolean check_kernel(const HvrImageFile *file, const char *path, GError **error)
{
	g_auto(HvrImageHeader) header = { 0 };
	g_autofree char *shown = hvr_text_safe(path);

	hvr_image_header_parse(&header, file->bytes, file->length);
	if (header.packed) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
			    KERNEL ": '%s' is no kernel, but what %s has compressed", shown,
			    header.packed);
		hvr_error_hint(error, "name a bzImage, as /boot/vmlinuz is one; is this the "
				      "initrd?");
		return FALSE;
	}
	if (g_str_equal(header.format, "raw"))
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    KERNEL ": '%s' is no kernel, but a %s image", shown, header.format);
	hvr_error_hint(error, "name it as file of a [disk NAME], from which the guest boots");
	return FALSE;
}

/* @path: (nullable): there is nothing to ask */
static gboolean check_boot_file(const HvrUser *user, const char *what, const char *path,
				GError **error)
{
	g_auto(HvrImageFile) file = { 0 };
	gboolean is_kernel = g_str_equal(what, KERNEL);
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
		return !is_kernel || check_kernel(&file, path, error);
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

gboolean hvr_files_check_rom(const HvrProfileDevice *device, const HvrUser *user, GError **error)
{
	g_autofree char *what = g_strdup_printf("[device %s] romfile", device->id);

	return check_boot_file(user, what, device->romfile, error);
}

gboolean hvr_files_check(const HvrProfile *profile, const HvrUser *user, GError **error)
{
	if (!check_boot_file(user, KERNEL, profile->kernel, error) ||
	    !check_boot_file(user, "[boot] initrd", profile->initrd, error))
		return FALSE;
	for (guint i = 0; i < profile->shares->len; i++)
		if (!check_share(user, g_ptr_array_index(profile->shares, i), error))
			return FALSE;
	for (guint i = 0; i < profile->devices->len; i++)
		if (!hvr_files_check_rom(g_ptr_array_index(profile->devices, i), user, error))
			return FALSE;
	return TRUE;
}
