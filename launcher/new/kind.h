/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* One kind of profile that `new` writes: a sample of configs/, and what is to be known of it. */
typedef struct {
	const char *name;    /* "ubuntu" */
	const char *summary; /* one line */
	const char *sample;  /* the text of NAME.ini */
	/* (nullable): what stands in the sample and what in its place, in pairs; NULL behind the
	 * last. The first goes first. */
	const char *const *words;
	const char *image;     /* the file of its first disk, or the base of that */
	const char *image_url; /* (nullable): where that is had; NULL: nowhere */
	const char *first;     /* (nullable): what is to be done first, where that is no fetching */
	gboolean login;	       /* it has [cloud-init], with a user, and a base */
	gboolean card;	       /* it has [device npu] */
	gboolean kernel;       /* it has [boot] */
	gboolean for_test;     /* it is for `test`, and `run` would do little with it */
} HvrNewKind;

/* All kinds; behind the last stands one without a name. */
extern const HvrNewKind hvr_new_kinds[];

/* Errors: HVR_LAUNCH_ERROR_USAGE, with the kinds that there are, or the one that was meant */
const HvrNewKind *hvr_new_kind_find(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
