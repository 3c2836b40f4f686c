/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"
#include "launcher/runtime/context.h"
#include "vfio/inventory.h"

/*
 * What a new profile wants to know of this host and of who asks. All files are opened as the
 * caller, and nothing is changed.
 */

/* A public key of the caller's. */
typedef struct {
	char *line; /* as of hvr_ssh_key_find(); NULL: there is none */
	char *file; /* that it is from */
} HvrNewKey;
void hvr_new_key_clear(HvrNewKey *key);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrNewKey, hvr_new_key_clear)

/**
 * hvr_new_key_look - the caller's public key.
 * @file: (nullable): where it is; NULL: the first in .ssh of the home that ssh-keygen's defaults
 *   leave there, of files that are the caller's own
 * @notes: gets a line of char * for each file that is passed over
 * Errors: only with @file: HVR_LAUNCH_ERROR_USAGE or _PERMISSION: it has none, or cannot be read
 */
gboolean hvr_new_key_look(const HvrUser *caller, const char *file, HvrNewKey *out_key,
			  GPtrArray *notes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The cards of this host, as far as a profile names one. (transfer none) */
typedef struct {
	const HvrPciFunction *function; /* the one that is meant; NULL: there is none */
	guint n;			/* of accelerators that there are */
	gboolean given;			/* somebody has named it */
} HvrNewCard;

/**
 * hvr_new_card_look - which card a profile is for.
 * @word: (nullable): as of hvr_card_of_word(), or "none"; NULL: the first accelerator
 * Errors: of hvr_card_of_word(); HVR_LAUNCH_ERROR_UNAVAILABLE: it is a bridge
 */
gboolean hvr_new_card_look(const HvrInventory *inventory, const char *word, HvrNewCard *out_card,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What is to be known of an image that is there. */
typedef struct {
	const char *format; /* "qcow2" or "raw", static; NULL: there is none */
	guint64 size_bytes; /* of qcow2: of the disk that the guest sees */
} HvrNewImage;

/**
 * hvr_new_image_look - look at an image.
 * Errors: HVR_LAUNCH_ERROR_PROFILE: it is of no such format, is packed, or cannot be read, with
 * what to do
 */
gboolean hvr_new_image_look(const HvrUser *caller, const char *path, HvrNewImage *out_image,
			    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The kernel that this host runs, and its initial RAM disk; NULL where they are not to be seen. */
typedef struct {
	char *image, *initrd;
} HvrNewKernel;
void hvr_new_kernel_look(HvrNewKernel *kernel);
void hvr_new_kernel_clear(HvrNewKernel *kernel);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrNewKernel, hvr_new_kernel_clear)
