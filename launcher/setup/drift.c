/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host drifts from its setup when somebody edits or removes a file, when an upgrade brings other
 * templates or another boot loader, and when a setup was cut short. All of that is the difference
 * to what setup would do now, for the same parts and cards.
 */
#include "launcher/setup/drift.h"

HvrSetupPlan *hvr_setup_plan_now(const HvrSetupSystem *system, guint parts, const GPtrArray *cards,
				 const char *folder, GError **error)
{
	g_autoptr(GHashTable) templates =
		hvr_setup_templates_load(folder ? folder : HVR_TEMPLATES, error);

	return templates ? hvr_setup_plan_make(system, parts, cards, templates, HVR_PROGRAM) : NULL;
}

GPtrArray *hvr_setup_drift(int target, const HvrSetupSystem *system, const HvrSetupState *state,
			   guint parts, const char *folder, GError **error)
{
	g_autoptr(HvrSetupPlan) plan =
		hvr_setup_plan_now(system, parts, state->cards, folder, error);

	/* Forced: a file that somebody has changed is an answer here, not an error. */
	return plan ? hvr_setup_changes_make(target, plan, parts, state, TRUE, error) : NULL;
}
