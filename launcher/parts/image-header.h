/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrImageHeader - what the first bytes of a disk image say of it, as QEMU reads them.
 *
 * Of qcow2 (docs/interop/qcow2.txt in QEMU's source; block/qcow2.c: qcow2_do_open) all that names
 * other files or keeps QEMU from opening it; of other formats their name.
 */
typedef struct {
	const char *format;   /* QEMU's name of it; "raw" where nothing is recognised. Static */
	guint64 size_bytes;   /* of qcow2: of the disk that the guest sees */
	char *backing;	      /* the name of the image behind it, as it stands there, or NULL */
	char *backing_format; /* NULL: QEMU guesses it from that image's first bytes */
	char *data_file;      /* where the guest's data is instead of here, or NULL */
	const char *packed;   /* of "raw": the program that has compressed it, or NULL. Static */
	const char *broken;   /* why no QEMU opens it, or NULL. Static */
	gboolean encrypted;
	gboolean corrupt; /* QEMU has marked it so, and does not write to it any more */
	gboolean dirty;	  /* it was not closed, and is repaired by who opens it for writing */
} HvrImageHeader;

#define HVR_IMAGE_HEADER_MAX (2u << 20) /* qcow2's biggest cluster */
#define HVR_IMAGE_HEADER_MIN 512u

/* How much of the image hvr_image_header_parse() wants, in bytes, by the first @n of it: at least
 * HVR_IMAGE_HEADER_MIN, at most HVR_IMAGE_HEADER_MAX. */
gsize hvr_image_header_size(const guint8 *bytes, gsize n);

/* Whatever @bytes are: what is not understood is "raw". @n: as many as wanted, or all there are. */
void hvr_image_header_parse(HvrImageHeader *header, const guint8 *bytes, gsize n);
void hvr_image_header_clear(HvrImageHeader *header);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrImageHeader, hvr_image_header_clear)
