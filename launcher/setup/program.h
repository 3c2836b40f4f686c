/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/* How programs of the system that is set up are run. */
typedef enum {
	HVR_SETUP_HERE,	    /* it is this host */
	HVR_SETUP_CONFINED, /* somebody else may have made it: see hvr_confine_run() */
	HVR_SETUP_TRUSTED,  /* with it as their root, and otherwise as this host's own */
} HvrSetupWay;

/**
 * HvrSetupRunner - how commands of the system that is set up are run; tests have one of their own.
 */
typedef struct {
	/* Is there such a program in @target? Errors: HVR_LAUNCH_ERROR_UNAVAILABLE */
	gboolean (*find)(int target, const char *name, GError **error);
	/**
	 * run - run it to its end, what it says on standard error.
	 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE when it fails; of confined ones: _BUSY when they are
	 * not done in time, _PERMISSION when they cannot be confined, and were not run
	 */
	gboolean (*run)(int target, HvrSetupWay way, char **argv, GError **error);
} HvrSetupRunner;

extern const HvrSetupRunner hvr_setup_runner;
