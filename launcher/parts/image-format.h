/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/block-use.h"
#include "launcher/parts/image-file.h"
#include "launcher/parts/image-header.h"

/**
 * HvrImageLink - one file of a disk's chain, as QEMU is told to open it.
 */
typedef struct {
	const char *disk; /* the section's name; borrowed */
	guint index;	  /* of the disk in the profile */
	char *what;	  /* names the link in a message */
	char *path;
	char *shown;	 /* the path, harmless for a message */
	char *said;	 /* the format, by the profile or by the image above; NULL: by nobody */
	char *above;	 /* the image that names this one; NULL: the profile does */
	guint64 base_of; /* the bytes of the image that is made on top of it; 0: it is no base */
	gboolean writes;
	gboolean data;	 /* it holds another image's data: it has no format */
	gboolean direct; /* QEMU opens it with O_DIRECT, as all of its chain */
} HvrImageLink;

/* As what QEMU opens it: the format that is said, else what its first bytes look like. Borrowed. */
const char *hvr_image_format(const HvrImageLink *link, const HvrImageHeader *header);

/* The questions to one link; all are pure. A "no" is HVR_LAUNCH_ERROR_PROFILE with a hint. */

/* It is what an image can be: a file, or a block device. */
gboolean hvr_image_check_kind(const HvrImageLink *link, const HvrImageFile *file, GError **error);
/* Nobody has it open in a way that keeps QEMU, or should keep a guest, from it.
 * Errors: HVR_LAUNCH_ERROR_BUSY */
gboolean hvr_image_check_locks(const HvrImageLink *link, const HvrImageFile *file, GError **error);
/* It is no block device that the host uses: to write to it is refused then, and to read what may
 * change under the guest. @use: who does, as far as it can be seen. Errors: HVR_LAUNCH_ERROR_BUSY
 */
gboolean hvr_image_check_host(const HvrImageLink *link, const HvrImageFile *file,
			      const HvrBlockUse *use, GError **error);
/* Where QEMU goes around the host's cache, its file system lets it. */
gboolean hvr_image_check_direct(const HvrImageLink *link, const HvrImageFile *file, GError **error);
/* The same of one that is not there yet. @shown: what has no O_DIRECT. Returns: FALSE */
gboolean hvr_image_fail_direct(const char *disk, const char *shown, GError **error);
/* It is of the format that is said of it. "raw" is anything, but nobody means another format's
 * container by it: the guest would see that instead of its disk. A guest that writes such a header
 * keeps itself from its next start, and no one else. LUKS may be the guest's own. */
gboolean hvr_image_check_format(const HvrImageLink *link, const HvrImageFile *file,
				const HvrImageHeader *header, GError **error);
/* QEMU opens it as it is: whole, without a key, and for writing where it is written to. */
gboolean hvr_image_check_header(const HvrImageLink *link, const HvrImageHeader *header,
				GError **error);
/* What is made on top of it is no smaller: a guest's disk would end in the middle. */
gboolean hvr_image_check_base(const HvrImageLink *link, const HvrImageHeader *header,
			      GError **error);
/* The name of its backing file is one that QEMU understands. */
gboolean hvr_image_check_name(const HvrImageLink *link, const char *name, gboolean colon,
			      GError **error);
