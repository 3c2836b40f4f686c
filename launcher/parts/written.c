/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The serial port's file is emptied at each start, swtpm makes a new TPM in an empty file, and an
 * image is made where there is none: a file that is named twice has lost what was in it. A path
 * says little of that; links, hard links and bind mounts lead to one file by many.
 */
#include "launcher/parts/written.h"

#include "launcher/parts/disk-image.h"
#include "launcher/parts/file-id.h"
#include "launcher/report/error.h"
#include "launcher/report/text.h"

static void add_disks(GArray *all, const HvrProfile *profile, const HvrImages *images)
{
	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);

		if (hvr_disk_image_is_due(disk))
			hvr_files_add(all, g_strdup_printf("[disk %s] file", disk->id), disk->file,
				      TRUE);
	}
	for (guint i = 0; images->files && i < images->files->len; i++) {
		const HvrImageUsed *used = &g_array_index(images->used, HvrImageUsed, i);
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, used->disk);

		hvr_files_add(all, g_strdup_printf("an image of [disk %s]", disk->id),
			      g_ptr_array_index(images->files, i), used->writes);
		g_array_index(all, HvrNamedFile, all->len - 1).image = TRUE;
	}
}

static void add_read(GArray *all, const HvrProfile *profile, const HvrFirmware *firmware)
{
	hvr_files_add(all, g_strdup("the profile"), profile->file, FALSE);
	hvr_files_add(all, g_strdup("[vm] include"), profile->include, FALSE);
	hvr_files_add(all, g_strdup("[boot] kernel"), profile->kernel, FALSE);
	hvr_files_add(all, g_strdup("[boot] initrd"), profile->initrd, FALSE);
	hvr_files_add(all, g_strdup("[cloud-init] user-data"), profile->seed.user_data, FALSE);
	hvr_files_add(all, g_strdup("[cloud-init] meta-data"), profile->seed.meta_data, FALSE);
	hvr_files_add(all, g_strdup("[cloud-init] ssh-key"), profile->seed.ssh_key, FALSE);
	hvr_files_add(all, g_strdup("[guest] warm-script"), profile->guest.warm_script, FALSE);
	if (firmware)
		hvr_files_add(all, g_strdup("the firmware"), firmware->code, FALSE);
	for (guint i = 0; i < profile->devices->len; i++) {
		const HvrProfileDevice *device = g_ptr_array_index(profile->devices, i);

		hvr_files_add(all, g_strdup_printf("[device %s] romfile", device->id),
			      device->romfile, FALSE);
	}
}

/* What is written to first: it is what an error names. */
static GArray *gather(const HvrProfile *profile, const HvrParts *parts)
{
	GArray *all = hvr_files_new();

	if (profile->serial == HVR_SERIAL_FILE)
		hvr_files_add(all, g_strdup("[serial] file"), profile->serial_file, TRUE);
	if (profile->tpm.model != HVR_TPM_NONE)
		hvr_files_add(all, g_strdup("[tpm] state"), profile->tpm.state,
			      !profile->tpm.throw_away);
	if (profile->firmware.uefi)
		hvr_files_add(all, g_strdup("[firmware] vars"), profile->firmware.vars,
			      !profile->firmware.throw_away);
	add_disks(all, profile, &parts->images);
	add_read(all, profile, parts->firmware);
	return all;
}

static gboolean check_pair(const HvrNamedFile *a, const HvrNamedFile *b, GError **error)
{
	if ((!a->writes && !b->writes) || (a->image && b->image) ||
	    !hvr_file_id_equal(&a->id, &b->id))
		return TRUE;
	g_autofree char *path = hvr_text_safe(a->path);
	g_autofree char *other = hvr_text_safe(b->path);

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PROFILE,
		    "%s: '%s' is the same file as %s: '%s'", a->key, path, b->key, other);
	hvr_error_hint(error, "one writes over what the other has: name two files");
	return FALSE;
}

gboolean hvr_written_check(const HvrContext *context, const HvrProfile *profile,
			   const HvrParts *parts, GError **error)
{
	g_autoptr(GArray) all = gather(profile, parts);
	gboolean any = FALSE;

	for (guint i = 0; i < all->len; i++)
		any = any || g_array_index(all, HvrNamedFile, i).writes;
	if (!any)
		return TRUE;
	hvr_files_find(all, parts->user);
	for (guint i = 0; i < all->len; i++)
		for (guint j = i + 1; j < all->len; j++)
			if (!check_pair(&g_array_index(all, HvrNamedFile, i),
					&g_array_index(all, HvrNamedFile, j), error))
				return FALSE;
	return TRUE;
}
