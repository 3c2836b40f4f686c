/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/setup/changes.h"
#include "launcher/setup/program.h"

/* Where changes are carried out. */
typedef struct {
	int target;
	const HvrSetupSystem *system;
	const HvrSetupRunner *runner;
	HvrSetupWay way; /* in which programs are run */
} HvrSetupSite;

/**
 * hvr_setup_apply - carry out @changes, and then whatever has to be made anew, also what an earlier
 * call did not come to.
 *
 * @state is written before anything else, so that undo knows all that may have been done; when
 * nothing is left in it, its file goes too.
 * Errors: HVR_LAUNCH_ERROR_BUSY when another setup works there; _UNAVAILABLE when a program is
 * missing (nothing is changed then) or fails; _PERMISSION, naming the commands, when those cannot
 * be confined: all else is done then, and they are still to be run; G_IO_ERROR
 */
gboolean hvr_setup_apply(const HvrSetupSite *site, const GPtrArray *changes, HvrSetupState *state,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;
