/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying changes out, in an order that can be cut anywhere:
 *
 *   originals kept, state written    undo knows what may be there from now on
 *   files written and removed        each in one step
 *   commands
 *   state written                    without what is gone, and with nothing pending
 *
 * Whoever comes after a cut sees files that are ours or not there, and goes on from that.
 */
#include "launcher/setup/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "vfio/fd.h"

/* State is told of the folders on the way to @path before they are made. */
static void note_folders(int target, HvrSetupState *state, const char *path)
{
	g_autoptr(GPtrArray) missing = hvr_setup_tree_missing(target, path);

	for (guint i = 0; i < missing->len; i++) {
		const char *folder = g_ptr_array_index(missing, i);
		if (!g_ptr_array_find_with_equal_func(state->folders, folder, g_str_equal, NULL))
			g_ptr_array_add(state->folders, g_strdup(folder));
	}
}

static gboolean make_folders(int target, const char *path, GError **error)
{
	g_autoptr(GPtrArray) missing = hvr_setup_tree_missing(target, path);

	for (guint i = 0; i < missing->len; i++)
		if (!hvr_setup_tree_make_folder(target, g_ptr_array_index(missing, i), error))
			return FALSE;
	return TRUE;
}

static int lock_folder(int target, GError **error)
{
	g_auto(HvrFd) folder = hvr_open_beneath(target, HVR_SETUP_FOLDER, O_RDONLY | O_DIRECTORY);
	const char *problem = "another setup is at work";

	if (folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) == 0)
		return g_steal_fd(&folder);
	if (errno != EWOULDBLOCK)
		problem = g_strerror(errno);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY, "cannot lock '%s': %s",
		    HVR_SETUP_FOLDER, problem);
	return -1;
}

/* What @change replaces is somebody else's: undo puts it back. */
static gboolean keep_original(int target, HvrSetupState *state, const HvrSetupChange *change,
			      HvrSetupEntry *entry, GError **error)
{
	g_autofree char *name = g_strdelimit(g_strdup(change->path), "/", '-');
	HvrSetupOwner owner = hvr_setup_owner_self(0600);

	entry->original = g_build_filename(HVR_SETUP_ORIGINALS, name, NULL);
	entry->owner = change->old_owner;
	note_folders(target, state, entry->original);
	return make_folders(target, entry->original, error) &&
	       hvr_setup_tree_write(target, entry->original, change->old, &owner, error);
}

/* What will have been done when @changes are. Commands are noted when they have run. */
static gboolean note_all(const HvrSetupSite *site, const GPtrArray *changes, HvrSetupState *state,
			 GError **error)
{
	state->pending |= hvr_setup_changes_after(changes);
	for (guint i = 0; i < changes->len; i++) {
		const HvrSetupChange *change = g_ptr_array_index(changes, i);
		if (change->undo || change->kind == HVR_CHANGE_RUN)
			continue;
		HvrSetupEntry *entry = hvr_setup_state_entry(state, change->path);
		entry->part = change->part;
		entry->after = change->after;
		g_free(entry->previous);
		entry->previous = entry->sha256;
		entry->sha256 = hvr_setup_sha256(change->text);
		note_folders(site->target, state, change->path);
		if (change->keep && !keep_original(site->target, state, change, entry, error))
			return FALSE;
	}
	return hvr_setup_state_save(site->target, state, error);
}

static gboolean carry_out(const HvrSetupSite *site, const HvrSetupChange *change, GError **error)
{
	int target = site->target;

	switch (change->kind) {
	case HVR_CHANGE_WRITE:
		return make_folders(target, change->path, error) &&
		       hvr_setup_tree_write(target, change->path, change->text, &change->owner,
					    error);
	case HVR_CHANGE_REMOVE:
		return hvr_setup_tree_remove(target, change->path, error);
	case HVR_CHANGE_RUN:
		return site->runner->run(target, site->system->live, change->argv, error);
	}
	g_return_val_if_reached(FALSE);
}

/* Commands are not done twice, so state has to tell at once. */
static gboolean note_command(int target, HvrSetupState *state, const HvrSetupChange *change,
			     GError **error)
{
	if (!change->action)
		return TRUE;
	if (change->undo)
		g_ptr_array_remove(state->actions,
				   hvr_setup_state_find_action(state, change->action->id));
	else
		g_ptr_array_add(state->actions, hvr_setup_action_copy(change->action));
	return hvr_setup_state_save(target, state, error);
}

/* A file that was taken back is no longer known. */
static gboolean note_done(int target, HvrSetupState *state, const HvrSetupChange *change,
			  GError **error)
{
	if (change->kind == HVR_CHANGE_RUN)
		return note_command(target, state, change, error);

	HvrSetupEntry *entry = hvr_setup_state_find(state, change->path);
	g_clear_pointer(&entry->previous, g_free);
	if (!change->undo)
		return TRUE;
	if (entry->original && !hvr_setup_tree_remove(target, entry->original, error))
		return FALSE;
	g_ptr_array_remove(state->entries, entry);
	return TRUE;
}

static gboolean find_programs(const HvrSetupSite *site, const GPtrArray *changes, guint after,
			      GError **error)
{
	g_autoptr(GPtrArray) commands = hvr_setup_after_commands(site->system, after);

	for (guint i = 0; i < changes->len; i++) {
		const HvrSetupChange *change = g_ptr_array_index(changes, i);
		if (change->kind == HVR_CHANGE_RUN)
			g_ptr_array_add(commands, g_strdupv(change->argv));
	}
	for (guint i = 0; i < commands->len; i++) {
		char **argv = g_ptr_array_index(commands, i);
		if (!site->runner->find(site->target, argv[0], error))
			return FALSE;
	}
	return TRUE;
}

static gboolean apply_locked(const HvrSetupSite *site, const GPtrArray *changes,
			     HvrSetupState *state, GError **error)
{
	gboolean live = site->system->live;

	if (!note_all(site, changes, state, error))
		return FALSE;
	for (guint i = 0; i < changes->len; i++) {
		const HvrSetupChange *change = g_ptr_array_index(changes, i);
		if (!hvr_interrupt_check(error) || !carry_out(site, change, error) ||
		    !note_done(site->target, state, change, error))
			return FALSE;
	}
	g_autoptr(GPtrArray) commands = hvr_setup_after_commands(site->system, state->pending);
	for (guint i = 0; i < commands->len; i++) {
		char **argv = g_ptr_array_index(commands, i);
		if (!hvr_interrupt_check(error) ||
		    !site->runner->run(site->target, live, argv, error))
			return FALSE;
	}
	state->pending = 0;
	if (state->entries->len || state->actions->len)
		return hvr_setup_state_save(site->target, state, error);
	return hvr_setup_state_remove(site->target, state, error);
}

gboolean hvr_setup_apply(const HvrSetupSite *site, const GPtrArray *changes, HvrSetupState *state,
			 GError **error)
{
	guint after = state->pending | hvr_setup_changes_after(changes);

	if (!find_programs(site, changes, after, error))
		return FALSE;
	note_folders(site->target, state, HVR_SETUP_FOLDER "/.");
	if (!make_folders(site->target, HVR_SETUP_FOLDER "/.", error))
		return FALSE;
	g_auto(HvrFd) lock = lock_folder(site->target, error);
	return lock >= 0 && apply_locked(site, changes, state, error);
}
