/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest had written to its disks when it was saved belongs to its state. It is in an image
 * on top of the profile's, which nobody writes to any more, and each start has one of its own on
 * top of that.
 */
#include "launcher/warm/overlay.h"

#include "launcher/process/program.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

#define QEMU_IMG   "qemu-img"
#define TIMEOUT_MS 120000

static char *name_of(guint index)
{
	return g_strdup_printf("disk%u.qcow2", index);
}

static gboolean make_one(const HvrWarmDraft *draft, const HvrProfileDisk *disk, guint index,
			 GError **error)
{
	const HvrUser *user = draft->user;
	g_autofree char *name = name_of(index);
	g_autofree char *qemu_img = hvr_program_find(QEMU_IMG, user->privileged);
	g_auto(HvrFd) fd = hvr_warm_draft_file(draft, name, error);

	if (fd < 0)
		return FALSE;
	if (!qemu_img) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "there is no " QEMU_IMG " to make the guest's disks with");
		return FALSE;
	}
	g_autofree char *file = hvr_fd_path(fd, NULL);
	const char *format = disk->format == HVR_DISK_RAW ? "raw" : "qcow2";
	const char *const argv[] = { QEMU_IMG, "create", "-q",	     "-f", "qcow2", "-F",
				     format,   "-b",	 disk->file, file, NULL };
	const HvrProgram program = { .path = qemu_img,
				     .argv = argv,
				     .identity = hvr_user_identity(user),
				     .fds = &fd,
				     .n_fds = 1,
				     .timeout_ms = TIMEOUT_MS };
	return hvr_program_run(&program, error);
}

gboolean hvr_warm_overlays_make(const HvrWarmDraft *draft, const HvrProfile *profile,
				GError **error)
{
	for (guint i = 0; i < profile->disks->len; i++) {
		const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);

		if (disk->readonly || make_one(draft, disk, i, error))
			continue;
		g_prefix_error(error, "[disk %s]: ", disk->id);
		return FALSE;
	}
	return TRUE;
}

void hvr_warm_bend(HvrWarmBent *bent, HvrProfile *profile, const char *folder, gboolean saving)
{
	bent->disks = g_array_new(FALSE, FALSE, sizeof(HvrProfileDisk));
	bent->serial = profile->serial;
	if (saving && profile->serial == HVR_SERIAL_STDIO)
		profile->serial = HVR_SERIAL_SOCKET;
	for (guint i = 0; i < profile->disks->len; i++) {
		HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);
		g_autofree char *name = name_of(i);

		g_array_append_val(bent->disks, *disk);
		if (disk->readonly)
			continue;
		disk->file = g_build_filename(folder, name, NULL);
		disk->format = HVR_DISK_QCOW2;
		disk->size_bytes = 0;
		disk->snapshot = !saving;
	}
}

void hvr_warm_unbend(HvrWarmBent *bent, HvrProfile *profile)
{
	if (!bent->disks)
		return;
	profile->serial = bent->serial;
	for (guint i = 0; i < profile->disks->len; i++) {
		HvrProfileDisk *disk = g_ptr_array_index(profile->disks, i);
		const HvrProfileDisk *was = &g_array_index(bent->disks, HvrProfileDisk, i);

		if (disk->file != was->file)
			g_free(disk->file);
		*disk = *was;
	}
	g_clear_pointer(&bent->disks, g_array_unref);
}
