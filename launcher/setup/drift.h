/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/setup/changes.h"

/**
 * hvr_setup_plan_now - what @system shall look like by the templates of today. Reads those alone.
 * @folder: (nullable): where the templates are; NULL: where they are installed
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE when one is missing
 */
HvrSetupPlan *hvr_setup_plan_now(const HvrSetupSystem *system, guint parts, const GPtrArray *cards,
				 const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_setup_without_effect - the kernel's arguments that setup has seen to, and that the kernel was
 * booted without since. Another loader, or another entry of its menu, was what booted it. Pure.
 * @system: as looked at, with its processor set
 * Returns: (transfer full): with a space between two; NULL: none, or not known, as before a reboot
 */
char *hvr_setup_without_effect(const HvrSetupState *state,
			       const HvrSetupSystem *system) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_setup_drift - what `setup` would have to do again. Reads, changes nothing.
 * @scope: its parts are of those that its state knows; forced or not is the same
 * @system: as looked at, with its processor set
 * Returns: (transfer full): array of HvrSetupChange; empty when all is as it was set up
 * Errors: as above; HVR_LAUNCH_ERROR_UNAVAILABLE, G_IO_ERROR for a file that cannot be read
 */
GPtrArray *hvr_setup_drift(const HvrSetupScope *scope, const HvrSetupSystem *system,
			   const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
