/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrSetupRunner - how commands of the system that is set up are run; tests have one of their own.
 */
typedef struct {
	/* Is there such a program in @target? Errors: HVR_LAUNCH_ERROR_UNAVAILABLE */
	gboolean (*find)(int target, const char *name, GError **error);
	/**
	 * run - run it to its end, what it says on standard error.
	 * @live: @target is this host's own root; else the program runs with @target as its root
	 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE when it fails
	 */
	gboolean (*run)(int target, gboolean live, char **argv, GError **error);
} HvrSetupRunner;

extern const HvrSetupRunner hvr_setup_runner;
