/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"
#include "launcher/runtime/context.h"

/* Of the runtime folder: a file for each program that has answered well, and each kind of answer.
 */
#define HVR_QEMU_FOLDER "qemu"

/* One question to a QEMU. All is borrowed. */
typedef struct {
	const HvrContext *context;
	const HvrUser *user; /* as whom it is asked, without any privilege */
	const char *path;
	const char *const *options; /* NULL-terminated; it is to print something and end */
	const char *input;	    /* (nullable): what it finds on its standard input */
} HvrQemuQuery;

/**
 * hvr_qemu_query - what it printed with these options.
 * Errors: HVR_LAUNCH_ERROR_BUSY when it did not answer in time; _UNAVAILABLE, _PERMISSION when it
 * could not be asked or refused them
 */
char *hvr_qemu_query(const HvrQemuQuery *query, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Which program it is, in which version, and for whom: what it told is remembered by that, as it
 * does not change its mind. NULL, with errno, where there is none. [transfer full] */
char *hvr_qemu_identity(const HvrUser *user, const char *path) G_GNUC_WARN_UNUSED_RESULT;
