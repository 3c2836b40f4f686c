/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrImageName - what the name of a backing file leads to.
 */
typedef struct {
	char *path;	/* of a file, as QEMU opens it: from its own folder where it is relative;
			   NULL: it is none, or not to be known from here */
	char *format;	/* that the name itself says, or NULL */
	gboolean colon; /* QEMU takes what is in front of its colon for a protocol that there is
			   not, where a file was meant */
} HvrImageName;

/**
 * hvr_image_name_parse - @name, as it stands in the image at @image (QEMU's block.c: bdrv_open,
 * bdrv_get_full_backing_filename, path_has_protocol).
 *
 * A path is relative to the folder of @image as that is named, not to where a link leads; one
 * behind "file:" or in "json:" to QEMU's own folder. Opens nothing.
 */
void hvr_image_name_parse(HvrImageName *parsed, const char *name, const char *image);
void hvr_image_name_clear(HvrImageName *name);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrImageName, hvr_image_name_clear)
