/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks that do not exist yet. A missing file is made, of the format that the profile says; a file
 * that is there is never looked into or touched, whatever its size.
 *
 * The file is made as the VM's user, who must be able to write to its folder, and qemu-img fills it
 * through the descriptor as that user: it opens no path of the profile. That of a base it writes
 * into the image (-u), from where QEMU takes it; the base was looked at before (images.c).
 */
#include "launcher/parts/disk-image.h"

#include <errno.h>
#include <unistd.h>

#include "launcher/parts/image-format.h"
#include "launcher/parts/newfile.h"
#include "launcher/process/install.h"
#include "launcher/process/program.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define QEMU_IMG   "qemu-img"
#define TIMEOUT_MS 120000
#define MIB	   (G_GUINT64_CONSTANT(1) << 20)

gboolean hvr_disk_image_is_due(const HvrProfileDisk *disk)
{
	return disk->size_bytes > 0 && hvr_new_file_is_missing(disk->file);
}

gboolean hvr_disk_images_check(const HvrContext *context, const HvrProfile *profile,
			       const HvrParts *parts, GError **error)
{
	g_autofree char *qemu_img = hvr_program_find(QEMU_IMG, parts->user->privileged);

	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);
		g_autofree char *what = g_strdup_printf("[disk %s] file", disk->id);

		if (!hvr_disk_image_is_due(disk))
			continue;
		if (!qemu_img && disk->format == HVR_DISK_QCOW2) {
			g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
				    "[disk %s] size: '%s' is missing and there is no " QEMU_IMG
				    " to make it with",
				    disk->id, disk->file);
			hvr_install_hint(error, "install it", &context->host, HVR_PACKAGE_QEMU_IMG);
			return FALSE;
		}
		if (!hvr_new_file_check(what, disk->file, parts->user, error))
			return FALSE;
		if (hvr_profile_disk_is_direct(disk) &&
		    !hvr_new_file_takes_direct(disk->file, parts->user))
			return hvr_image_fail_direct(disk->id, disk->file, error);
	}
	return TRUE;
}

void hvr_disk_images_describe(const HvrProfile *profile, GPtrArray *notes)
{
	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);

		if (hvr_disk_image_is_due(disk))
			g_ptr_array_add(notes, g_strdup_printf("disk %s: '%s' is new, of "
							       "%" G_GUINT64_FORMAT " MiB%s%s%s",
							       disk->id, disk->file,
							       disk->size_bytes / MIB,
							       disk->base ? ", on top of '" : "",
							       disk->base ? disk->base : "",
							       disk->base ? "'" : ""));
	}
}

static gboolean make_qcow2(int fd, const HvrProfileDisk *disk, const HvrParts *parts,
			   GError **error)
{
	g_autofree char *qemu_img = hvr_program_find(QEMU_IMG, parts->user->privileged);
	g_autofree char *file = hvr_fd_path(fd, NULL);
	g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, disk->size_bytes);
	const char *const empty[] = { QEMU_IMG, "create", "-q", "-f", "qcow2", file, size, NULL };
	const char *const on_top[] = { QEMU_IMG, "create", "-q",       "-f", "qcow2", "-u", "-F",
				       "qcow2",	 "-b",	   disk->base, file, size,    NULL };
	const HvrProgram program = { .path = qemu_img ? qemu_img : QEMU_IMG,
				     .argv = disk->base ? on_top : empty,
				     .identity = hvr_user_identity(parts->user),
				     .fds = &fd,
				     .n_fds = 1,
				     .timeout_ms = TIMEOUT_MS };

	return hvr_program_run(&program, error);
}

static gboolean make_raw(int fd, const HvrProfileDisk *disk, GError **error)
{
	int status = ftruncate(fd, (off_t)disk->size_bytes);
	int saved = errno;

	if (status == 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "cannot give '%s' its size: %s", disk->file, g_strerror(saved));
	return FALSE;
}

static gboolean create_one(const HvrProfileDisk *disk, const HvrParts *parts, GError **error)
{
	g_auto(HvrNewFile) file = HVR_NEW_FILE_INIT;
	gboolean filled;

	if (!hvr_new_file_begin(&file, disk->file, parts->user, error))
		return FALSE;
	if (disk->format == HVR_DISK_RAW)
		filled = make_raw(file.fd, disk, error);
	else
		filled = make_qcow2(file.fd, disk, parts, error);
	return filled && hvr_new_file_finish(&file, parts->made, error);
}

gboolean hvr_disk_images_create(const HvrProfile *profile, const HvrParts *parts, GError **error)
{
	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);

		if (!hvr_disk_image_is_due(disk) || create_one(disk, parts, error))
			continue;
		g_prefix_error(error, "[disk %s] size: ", disk->id);
		return FALSE;
	}
	return TRUE;
}
