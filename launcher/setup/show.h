/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/setup/changes.h"

typedef enum {
	HVR_SETUP_NAMES,    /* a line for each file and each command */
	HVR_SETUP_CONTENTS, /* and the lines that go (-) and come (+) of each file */
} HvrSetupDetail;

/**
 * hvr_setup_show - every change as text: each file, each command. What the target says, in its
 * files and in its setup.ini, is harmless and one line each (hvr_text_append()). Pure.
 * @commands: (nullable): array of char **: what is run behind the changes
 */
char *hvr_setup_show(const GPtrArray *changes, const GPtrArray *commands,
		     HvrSetupDetail detail) G_GNUC_WARN_UNUSED_RESULT;

/* One harmless line for each difference, as --status has it. Pure. */
char *hvr_setup_show_drift(const GPtrArray *changes) G_GNUC_WARN_UNUSED_RESULT;
