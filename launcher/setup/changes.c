/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three things are compared: what shall be (plan), what we did (state), and what is there.
 *
 *   there is ours, or nothing     written
 *   there is somebody else's      refused; for their own good, as another program may read it
 *   ours, changed since           refused: the change may be what somebody needs
 *   a shared file                 our words are added to whatever it says
 *
 * A change that was shown is then carried out as it was shown, see apply.c.
 */
#include "launcher/setup/changes.h"

#include <unistd.h>

#include "launcher/report/error.h"

static void change_free(gpointer data)
{
	HvrSetupChange *change = data;

	g_free(change->path);
	g_free(change->old);
	g_free(change->text);
	g_strfreev(change->argv);
	if (change->action)
		hvr_setup_action_free(change->action);
	g_free(change);
}

static HvrSetupChange *add_change(GPtrArray *changes, HvrSetupChangeKind kind, HvrSetupPart part)
{
	HvrSetupChange *change = g_new0(HvrSetupChange, 1);

	change->kind = kind;
	change->part = part;
	g_ptr_array_add(changes, change);
	return change;
}

static gboolean refuse(GError **error, const char *path, const char *what, const char *hint)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, "'%s' %s", path, what);
	hvr_error_hint(error, "%s, or say --force", hint);
	return FALSE;
}

/* May a file that says @old be replaced? */
static gboolean may_replace(const HvrSetupFile *file, const HvrSetupEntry *entry, const char *old,
			    GError **error)
{
	if (!old || file->shared || g_str_equal(old, file->text))
		return TRUE;
	if (!entry)
		return refuse(error, file->path, "is there, and not of setup's making",
			      "move it away");
	if (!hvr_setup_entry_is_ours(entry, old))
		return refuse(error, file->path, "was changed since setup wrote it",
			      "put the change into a file of its own");
	return TRUE;
}

static gboolean add_file(const HvrSetupScope *scope, const HvrSetupFile *file, GPtrArray *changes,
			 GError **error)
{
	const HvrSetupEntry *entry = hvr_setup_state_find(scope->state, file->path);
	HvrSetupOwner is = hvr_setup_owner_self(file->mode);
	g_autofree char *old = NULL;

	if (!hvr_setup_tree_read(scope->target, file->path, &old, &is, error))
		return FALSE;
	gboolean same = old && g_str_equal(old, file->text);
	if (same && (file->shared || (entry && is.mode == file->mode)))
		return TRUE;
	if (!scope->force && !may_replace(file, entry, old, error))
		return FALSE;

	HvrSetupChange *change = add_change(changes, HVR_CHANGE_WRITE, file->part);
	change->path = g_strdup(file->path);
	change->text = g_strdup(file->text);
	change->after = file->after;
	change->old_owner = is;
	change->owner = is;
	if (!file->shared)
		change->owner = hvr_setup_owner_self(file->mode);
	change->keep = old && !entry && !same;
	change->old = g_steal_pointer(&old);
	return TRUE;
}

/* Back to the original, or to nothing. */
static gboolean add_undo(const HvrSetupScope *scope, const HvrSetupEntry *entry, GPtrArray *changes,
			 GError **error)
{
	HvrSetupChangeKind kind = HVR_CHANGE_REMOVE;
	const char *hint = "move it away";
	g_autofree char *old = NULL;
	g_autofree char *original = NULL;
	HvrSetupOwner is = { 0 };

	if (!hvr_setup_tree_read(scope->target, entry->path, &old, &is, error) ||
	    (entry->original &&
	     !hvr_setup_tree_read(scope->target, entry->original, &original, NULL, error)))
		return FALSE;
	if (original) {
		kind = HVR_CHANGE_WRITE;
		hint = "take setup's words out of it";
	}
	gboolean restored = old && g_strcmp0(old, original) == 0;
	if (old && !restored && !scope->force && !hvr_setup_entry_is_ours(entry, old))
		return refuse(error, entry->path, "was changed since setup wrote it", hint);

	HvrSetupChange *change = add_change(changes, kind, entry->part);
	change->path = g_strdup(entry->path);
	change->undo = TRUE;
	change->after = entry->after;
	change->owner = entry->owner;
	change->old_owner = is;
	change->old = g_steal_pointer(&old);
	change->text = g_steal_pointer(&original);
	return TRUE;
}

static void add_run(GPtrArray *changes, const HvrSetupAction *action, gboolean undo)
{
	HvrSetupChange *change = add_change(changes, HVR_CHANGE_RUN, action->part);
	char **argv = action->argv;

	if (undo)
		argv = action->undo;
	change->undo = undo;
	change->argv = g_strdupv(argv);
	change->action = hvr_setup_action_copy(action);
}

/* @plan: (nullable): has nothing then */
static gboolean plan_has_file(const HvrSetupPlan *plan, const char *path)
{
	for (guint i = 0; plan && i < plan->files->len; i++) {
		const HvrSetupFile *file = g_ptr_array_index(plan->files, i);
		if (g_str_equal(file->path, path))
			return TRUE;
	}
	return FALSE;
}

static gboolean plan_has_action(const HvrSetupPlan *plan, const char *id)
{
	for (guint i = 0; plan && i < plan->actions->len; i++) {
		const HvrSetupAction *action = g_ptr_array_index(plan->actions, i);
		if (g_str_equal(action->id, id))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_part(guint parts, HvrSetupPart part)
{
	return (parts & (1u << part)) != 0;
}

/* Of an earlier setup, with other cards or on another loader. @plan: NULL: all of it */
static gboolean add_obsolete(const HvrSetupScope *scope, const HvrSetupPlan *plan,
			     GPtrArray *changes, GError **error)
{
	const HvrSetupState *state = scope->state;

	for (guint i = 0; i < state->entries->len; i++) {
		const HvrSetupEntry *entry = g_ptr_array_index(state->entries, i);
		if (is_part(scope->parts, entry->part) && !plan_has_file(plan, entry->path) &&
		    !add_undo(scope, entry, changes, error))
			return FALSE;
	}
	/* What was done last may need what was done before it: it is undone first. */
	for (guint i = state->actions->len; i > 0; i--) {
		const HvrSetupAction *action = g_ptr_array_index(state->actions, i - 1);
		if (is_part(scope->parts, action->part) && !plan_has_action(plan, action->id))
			add_run(changes, action, TRUE);
	}
	return TRUE;
}

GPtrArray *hvr_setup_changes_make(const HvrSetupScope *scope, const HvrSetupPlan *plan,
				  GError **error)
{
	g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(change_free);

	for (guint i = 0; i < plan->actions->len; i++) {
		const HvrSetupAction *action = g_ptr_array_index(plan->actions, i);
		if (!action->so_already && !hvr_setup_state_find_action(scope->state, action->id))
			add_run(changes, action, FALSE);
	}
	for (guint i = 0; i < plan->files->len; i++)
		if (!add_file(scope, g_ptr_array_index(plan->files, i), changes, error))
			return NULL;
	if (!add_obsolete(scope, plan, changes, error))
		return NULL;
	return g_steal_pointer(&changes);
}

GPtrArray *hvr_setup_changes_undo(const HvrSetupScope *scope, const HvrSetupSystem *system,
				  GError **error)
{
	g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(change_free);
	gboolean service = scope->state->there && is_part(scope->parts, HVR_SETUP_SERVICE);

	/* An enabled unit would be left pointing to nothing. */
	for (guint i = 0; service && i < system->enabled->len; i++) {
		const char *unit = g_ptr_array_index(system->enabled, i);
		const char *argv[] = { "systemctl", "disable", unit, NULL };
		HvrSetupChange *change = add_change(changes, HVR_CHANGE_RUN, HVR_SETUP_SERVICE);
		change->undo = TRUE;
		change->argv = g_strdupv((char **)argv);
	}
	if (!add_obsolete(scope, NULL, changes, error))
		return NULL;
	return g_steal_pointer(&changes);
}

guint hvr_setup_changes_after(const GPtrArray *changes)
{
	guint after = 0;

	for (guint i = 0; i < changes->len; i++) {
		const HvrSetupChange *change = g_ptr_array_index(changes, i);
		after |= change->after;
	}
	return after;
}
