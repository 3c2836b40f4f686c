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

/* What could not be run, and why. */
typedef struct {
	GString *commands;
	GError *cause;
} Left;

/* @out_ran: FALSE: it is left to the user */
static gboolean run(const HvrSetupSite *site, char **argv, Left *left, gboolean *out_ran,
		    GError **error)
{
	g_autofree char *line = g_strjoinv(" ", argv);
	g_autoptr(GError) cause = NULL;

	*out_ran = site->runner->run(site->target, site->way, argv, &cause);
	if (*out_ran)
		return TRUE;
	if (site->way != HVR_SETUP_CONFINED ||
	    !g_error_matches(cause, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION)) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return FALSE;
	}
	if (left->commands->len > 0)
		g_string_append(left->commands, "; ");
	g_string_append(left->commands, line);
	if (!left->cause)
		left->cause = g_steal_pointer(&cause);
	return TRUE;
}

static gboolean fail_with_left(const Left *left, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(left->cause->message, "\n", 2);

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "not finished: the files are as they shall be, but %s", lines[0]);
	hvr_error_hint(error,
		       "boot that system and run 'hailo-vm-run setup' there, or say --trust if it "
		       "is trusted as this host is; still to be run: %s",
		       left->commands->str);
	return FALSE;
}

/* @out_done: FALSE: it is a command that is left to the user */
static gboolean carry_out(const HvrSetupSite *site, const HvrSetupChange *change, Left *left,
			  gboolean *out_done, GError **error)
{
	int target = site->target;

	*out_done = TRUE;
	switch (change->kind) {
	case HVR_CHANGE_WRITE:
		return make_folders(target, change->path, error) &&
		       hvr_setup_tree_write(target, change->path, change->text, &change->owner,
					    error);
	case HVR_CHANGE_REMOVE:
		return hvr_setup_tree_remove(target, change->path, error);
	case HVR_CHANGE_RUN:
		return run(site, change->argv, left, out_done, error);
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

static gboolean change_all(const HvrSetupSite *site, const GPtrArray *changes, HvrSetupState *state,
			   Left *left, GError **error)
{
	for (guint i = 0; i < changes->len; i++) {
		const HvrSetupChange *change = g_ptr_array_index(changes, i);
		gboolean done;
		if (!hvr_interrupt_check(error) || !carry_out(site, change, left, &done, error) ||
		    (done && !note_done(site->target, state, change, error)))
			return FALSE;
	}
	return TRUE;
}

static gboolean make_anew(const HvrSetupSite *site, guint after, Left *left, GError **error)
{
	g_autoptr(GPtrArray) commands = hvr_setup_after_commands(site->system, after);

	for (guint i = 0; i < commands->len; i++) {
		gboolean ran;
		if (!hvr_interrupt_check(error) ||
		    !run(site, g_ptr_array_index(commands, i), left, &ran, error))
			return FALSE;
	}
	return TRUE;
}

/* From the next boot on the kernel has them. */
static void note_boot(const HvrSetupSite *site, const GPtrArray *changes, HvrSetupState *state)
{
	for (guint i = 0; i < changes->len; i++) {
		const HvrSetupChange *change = g_ptr_array_index(changes, i);
		if (change->part != HVR_SETUP_KERNEL_ARGS)
			continue;
		g_free(state->boot);
		state->boot = change->undo ? NULL : g_strdup(site->system->boot_id);
	}
}

static gboolean apply_locked(const HvrSetupSite *site, const GPtrArray *changes,
			     HvrSetupState *state, GError **error)
{
	g_autoptr(GString) commands = g_string_new(NULL);
	Left left = { .commands = commands };

	note_boot(site, changes, state);
	gboolean done = note_all(site, changes, state, error) &&
			change_all(site, changes, state, &left, error) &&
			make_anew(site, state->pending, &left, error);

	if (done && left.cause) {
		done = hvr_setup_state_save(site->target, state, error) &&
		       fail_with_left(&left, error);
	} else if (done) {
		state->pending = 0;
		if (state->entries->len || state->actions->len)
			done = hvr_setup_state_save(site->target, state, error);
		else
			done = hvr_setup_state_remove(site->target, state, error);
	}
	g_clear_error(&left.cause);
	return done;
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
