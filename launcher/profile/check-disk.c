/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/profile/check-disk.h"

#include <string.h>

#include "launcher/report/error.h"

/* What does not go together, with the key to blame. */
typedef struct {
	const char *key;
	gboolean wrong;
	const char *what, *hint; /* @hint: (nullable) */
} DiskRule;

gboolean hvr_profile_check_disk(const char *file, const HvrProfilePart *part, GError **error)
{
	const HvrProfileDisk *disk = part->base;
	gboolean sata = disk->bus == HVR_DISK_SATA;
	gboolean scsi = disk->bus == HVR_DISK_SCSI;
	gboolean for_cds = sata || scsi;
	const DiskRule rules[] = {
		{ "bus", disk->cdrom && !for_cds, "has no drive for a CD (media = cdrom)",
		  "set bus = sata or scsi, or media = disk" },
		{ "size", disk->cdrom && disk->size_bytes, "makes a CD that nobody can write",
		  "fetch the image, and leave size out" },
		{ "snapshot", disk->cdrom && disk->snapshot,
		  "has nothing to throw away with media = cdrom", NULL },
		{ "readonly", disk->cdrom && !disk->readonly,
		  "a CD cannot be written (media = cdrom)", "leave it out, or set media = disk" },
		{ "snapshot", disk->snapshot && disk->readonly,
		  "has nothing to throw away with readonly = yes", NULL },
		/* ide_dev_initfn() in QEMU's hw/ide/ide-dev.c */
		{ "readonly", sata && disk->readonly && !disk->cdrom,
		  "there is no such disk with bus = sata",
		  "set snapshot = yes, media = cdrom, or another bus" },
		/* raw_open_common() in QEMU's block/file-posix.c */
		{ "aio", disk->aio == HVR_AIO_NATIVE && !hvr_profile_disk_is_direct(disk),
		  "native goes around the host's cache, and this disk does not",
		  "set cache = none or directsync, or aio = io_uring or threads" },
		/* bdrv_open_common() in QEMU's block.c */
		{ "detect-zeroes", disk->zeroes == HVR_ZEROES_UNMAP && !disk->discard,
		  "has nothing to do with discard = ignore", "set discard = unmap, or on" },
		{ "iothread", disk->iothread && disk->bus != HVR_DISK_VIRTIO && !scsi,
		  "there is none for a disk on nvme or sata", "set bus = virtio or scsi, or no" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
		HvrProfileLine place = hvr_profile_part_place(part, rules[i].key);

		if (!rules[i].wrong)
			continue;
		hvr_profile_fail(error, file, &place, "%s", rules[i].what);
		if (rules[i].hint)
			hvr_error_hint(error, "%s", rules[i].hint);
		return FALSE;
	}
	return TRUE;
}

static gboolean is_writer(const HvrProfileDisk *disk)
{
	return !disk->readonly && !disk->snapshot;
}

/* QEMU locks an image that it writes. */
gboolean hvr_profile_check_images(const char *file, const HvrProfilePart *a,
				  const HvrProfilePart *b, GError **error)
{
	const HvrProfileDisk *first = a->base, *second = b->base;
	HvrProfileLine place = hvr_profile_part_place(b, "file");

	if (strcmp(first->file, second->file) != 0 || !(is_writer(first) || is_writer(second)))
		return TRUE;
	hvr_profile_fail(error, file, &place, "is also the file of [disk %s]", a->name);
	hvr_error_hint(error, "two disks share an image only when both are readonly or snapshot");
	return FALSE;
}
