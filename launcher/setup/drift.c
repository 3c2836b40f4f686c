/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A system drifts from its setup when somebody edits or removes a file, when an upgrade brings
 * other templates or another boot loader, and when a setup was cut short. All of that is the
 * difference to what setup would do now, for the same parts and cards.
 */
#include "launcher/setup/drift.h"

HvrSetupPlan *hvr_setup_plan_now(const HvrSetupSystem *system, guint parts, const GPtrArray *cards,
				 const char *folder, GError **error)
{
	g_autoptr(GHashTable) templates = NULL;

	if (!folder)
		folder = HVR_TEMPLATES;
	templates = hvr_setup_templates_load(folder, error);
	if (!templates)
		return NULL;
	return hvr_setup_plan_make(system, parts, cards, templates, HVR_PROGRAM);
}

GPtrArray *hvr_setup_drift(const HvrSetupScope *scope, const HvrSetupSystem *system,
			   const char *folder, GError **error)
{
	g_autoptr(HvrSetupPlan) plan =
		hvr_setup_plan_now(system, scope->parts, scope->state->cards, folder, error);
	HvrSetupScope forced = *scope;

	if (!plan)
		return NULL;
	/* A file that somebody has changed is an answer here, not an error. */
	forced.force = TRUE;
	return hvr_setup_changes_make(&forced, plan, error);
}

char *hvr_setup_without_effect(const HvrSetupState *state, const HvrSetupSystem *system)
{
	g_autofree char *missing = NULL;

	if (!(state->parts & (1u << HVR_SETUP_KERNEL_ARGS)) || !state->boot || !system->boot_id ||
	    g_str_equal(state->boot, system->boot_id))
		return NULL;
	missing = hvr_setup_missing_arguments(system);
	return *missing ? g_steal_pointer(&missing) : NULL;
}
