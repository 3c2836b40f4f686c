/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/new/kind.h"
#include "launcher/new/look.h"

/* What is put into a sample. All may be NULL or 0: then it stays as it is. Nothing is owned. */
typedef struct {
	const HvrNewKind *kind;
	const char *file; /* the profile's path; NULL: it has none yet */
	const char *name, *user, *memory;
	guint cpus;
	const char *key;   /* of hvr_ssh_key_find() */
	const char *image; /* as a profile names it, and what it is */
	HvrNewImage image_is;
	const HvrNewCard *card;
	const HvrNewKernel *kernel;
} HvrNewWish;

/**
 * hvr_new_make - a profile's text. Pure.
 *
 * It is read as a profile is before it is given away, so what is returned is one.
 * Errors: HVR_LAUNCH_ERROR_PROFILE: with what was wished it is none; _USAGE: a wish has more than
 * one line, or is for what this kind has not
 */
char *hvr_new_make(const HvrNewWish *wish, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_new_image_word - how a profile at @file names the image at @path: by its name alone where
 * both are in one folder.
 * Returns: (transfer full)
 */
char *hvr_new_image_word(const char *file, const char *path) G_GNUC_WARN_UNUSED_RESULT;
