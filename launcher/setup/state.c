/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup.ini: [setup] with what was chosen, [file PATH] for each file, [action ID] for each command
 * that has one to take it back. Replaced files are kept beside it, as they were.
 */
#include "launcher/setup/state.h"

#include <string.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "launcher/setup/cards.h"

#define STATE_FILE HVR_SETUP_FOLDER "/setup.ini"
#define MAIN	   "setup"
#define FILE_GROUP "file "
#define ACTION	   "action "

static void entry_free(gpointer data)
{
	HvrSetupEntry *entry = data;

	g_free(entry->path);
	g_free(entry->sha256);
	g_free(entry->previous);
	g_free(entry->original);
	g_free(entry);
}

void hvr_setup_state_free(HvrSetupState *state)
{
	if (!state)
		return;
	g_ptr_array_unref(state->cards);
	g_ptr_array_unref(state->entries);
	g_ptr_array_unref(state->actions);
	g_ptr_array_unref(state->folders);
	g_free(state->cpu);
	g_free(state->boot);
	g_free(state);
}

static HvrSetupState *state_new(void)
{
	HvrSetupState *state = g_new0(HvrSetupState, 1);

	state->cards = hvr_setup_cards_new();
	state->entries = g_ptr_array_new_with_free_func(entry_free);
	state->actions = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_setup_action_free);
	state->folders = g_ptr_array_new_with_free_func(g_free);
	return state;
}

HvrSetupEntry *hvr_setup_state_find(const HvrSetupState *state, const char *path)
{
	for (guint i = 0; i < state->entries->len; i++) {
		HvrSetupEntry *entry = g_ptr_array_index(state->entries, i);
		if (g_str_equal(entry->path, path))
			return entry;
	}
	return NULL;
}

HvrSetupEntry *hvr_setup_state_entry(HvrSetupState *state, const char *path)
{
	HvrSetupEntry *entry = hvr_setup_state_find(state, path);

	if (!entry) {
		entry = g_new0(HvrSetupEntry, 1);
		entry->path = g_strdup(path);
		g_ptr_array_add(state->entries, entry);
	}
	return entry;
}

HvrSetupAction *hvr_setup_state_find_action(const HvrSetupState *state, const char *id)
{
	for (guint i = 0; i < state->actions->len; i++) {
		HvrSetupAction *action = g_ptr_array_index(state->actions, i);
		if (g_str_equal(action->id, id))
			return action;
	}
	return NULL;
}

char *hvr_setup_sha256(const char *text)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

gboolean hvr_setup_entry_is_ours(const HvrSetupEntry *entry, const char *text)
{
	g_autofree char *sha256 = hvr_setup_sha256(text);

	return g_strcmp0(entry->sha256, sha256) == 0 || g_strcmp0(entry->previous, sha256) == 0;
}

static guint get_number(GKeyFile *file, const char *group, const char *key)
{
	return (guint)g_key_file_get_uint64(file, group, key, NULL);
}

static gboolean load_part(GKeyFile *file, const char *group, HvrSetupPart *out_part)
{
	g_autofree char *name = g_key_file_get_string(file, group, "part", NULL);

	return name && hvr_setup_part_find(name, out_part);
}

static gboolean load_file(GKeyFile *file, const char *group, HvrSetupState *state)
{
	HvrSetupPart part;

	if (!load_part(file, group, &part))
		return FALSE;
	HvrSetupEntry *entry = hvr_setup_state_entry(state, group + strlen(FILE_GROUP));
	entry->part = part;
	entry->after = get_number(file, group, "after");
	entry->sha256 = g_key_file_get_string(file, group, "sha256", NULL);
	entry->previous = g_key_file_get_string(file, group, "previous", NULL);
	entry->original = g_key_file_get_string(file, group, "original", NULL);
	entry->owner.uid = get_number(file, group, "uid");
	entry->owner.gid = get_number(file, group, "gid");
	entry->owner.mode = get_number(file, group, "mode");
	return entry->sha256 != NULL;
}

static gboolean load_action(GKeyFile *file, const char *group, HvrSetupState *state)
{
	HvrSetupAction action = { .id = (char *)group + strlen(ACTION) };
	g_auto(GStrv) argv = g_key_file_get_string_list(file, group, "argv", NULL, NULL);
	g_auto(GStrv) undo = g_key_file_get_string_list(file, group, "undo", NULL, NULL);

	if (!load_part(file, group, &action.part) || !argv || !argv[0] || !undo || !undo[0])
		return FALSE;
	action.argv = argv;
	action.undo = undo;
	g_ptr_array_add(state->actions, hvr_setup_action_copy(&action));
	return TRUE;
}

static gboolean load_main(GKeyFile *file, HvrSetupState *state)
{
	g_auto(GStrv) cards = g_key_file_get_string_list(file, MAIN, "cards", NULL, NULL);
	g_auto(GStrv) folders = g_key_file_get_string_list(file, MAIN, "folders", NULL, NULL);

	state->parts = get_number(file, MAIN, "parts") & HVR_SETUP_KNOWN_PARTS;
	state->pending = get_number(file, MAIN, "pending");
	state->cpu = g_key_file_get_string(file, MAIN, "cpu", NULL);
	state->boot = g_key_file_get_string(file, MAIN, "boot", NULL);
	for (guint i = 0; cards && cards[i]; i++) {
		HvrSetupCard *card = hvr_setup_card_from_text(cards[i]);
		if (!card)
			return FALSE;
		g_ptr_array_add(state->cards, card);
	}
	for (guint i = 0; folders && folders[i]; i++)
		g_ptr_array_add(state->folders, g_strdup(folders[i]));
	return TRUE;
}

static gboolean load_group(GKeyFile *file, const char *group, HvrSetupState *state)
{
	if (g_str_equal(group, MAIN))
		return load_main(file, state);
	if (g_str_has_prefix(group, FILE_GROUP))
		return load_file(file, group, state);
	if (g_str_has_prefix(group, ACTION))
		return load_action(file, group, state);
	return FALSE;
}

/* FALSE: it is not of our making, or not whole. */
static gboolean load_text(const char *text, HvrSetupState *state)
{
	g_autoptr(GKeyFile) file = g_key_file_new();

	if (!g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, NULL))
		return FALSE;
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
	for (guint i = 0; groups[i]; i++)
		if (!load_group(file, groups[i], state))
			return FALSE;
	return TRUE;
}

HvrSetupState *hvr_setup_state_load(int target, GError **error)
{
	g_autoptr(HvrSetupState) state = state_new();
	g_autofree char *text = NULL;

	if (!hvr_setup_tree_read(target, STATE_FILE, &text, NULL, error))
		return NULL;
	if (!text)
		return g_steal_pointer(&state);
	state->there = TRUE;
	if (load_text(text, state))
		return g_steal_pointer(&state);
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL,
		    "'%s' makes no sense: somebody else has changed it", STATE_FILE);
	hvr_error_hint(error, "it says what setup has done: put it back from a backup, or remove "
			      "it and those files by hand");
	return NULL;
}

static void save_file(GKeyFile *file, const HvrSetupEntry *entry)
{
	g_autofree char *group = g_strconcat(FILE_GROUP, entry->path, NULL);

	g_key_file_set_string(file, group, "part", hvr_setup_part_name(entry->part));
	g_key_file_set_uint64(file, group, "after", entry->after);
	g_key_file_set_string(file, group, "sha256", entry->sha256);
	if (entry->previous)
		g_key_file_set_string(file, group, "previous", entry->previous);
	if (!entry->original)
		return;
	g_key_file_set_string(file, group, "original", entry->original);
	g_key_file_set_uint64(file, group, "uid", entry->owner.uid);
	g_key_file_set_uint64(file, group, "gid", entry->owner.gid);
	g_key_file_set_uint64(file, group, "mode", entry->owner.mode);
}

static void save_action(GKeyFile *file, const HvrSetupAction *action)
{
	g_autofree char *group = g_strconcat(ACTION, action->id, NULL);

	g_key_file_set_string(file, group, "part", hvr_setup_part_name(action->part));
	g_key_file_set_string_list(file, group, "argv", (const char *const *)action->argv,
				   g_strv_length(action->argv));
	g_key_file_set_string_list(file, group, "undo", (const char *const *)action->undo,
				   g_strv_length(action->undo));
}

/* @texts: of char * */
static void save_array(GKeyFile *file, const char *key, const GPtrArray *texts)
{
	if (texts->len > 0)
		g_key_file_set_string_list(file, MAIN, key, (const char *const *)texts->pdata,
					   texts->len);
}

static void save_main(GKeyFile *file, const HvrSetupState *state)
{
	g_autoptr(GPtrArray) cards = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < state->cards->len; i++)
		g_ptr_array_add(cards, hvr_setup_card_to_text(g_ptr_array_index(state->cards, i)));
	g_key_file_set_uint64(file, MAIN, "parts", state->parts);
	g_key_file_set_uint64(file, MAIN, "pending", state->pending);
	if (state->cpu)
		g_key_file_set_string(file, MAIN, "cpu", state->cpu);
	if (state->boot)
		g_key_file_set_string(file, MAIN, "boot", state->boot);
	save_array(file, "cards", cards);
	save_array(file, "folders", state->folders);
}

gboolean hvr_setup_state_save(int target, const HvrSetupState *state, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	HvrSetupOwner owner = hvr_setup_owner_self(0644);

	save_main(file, state);
	for (guint i = 0; i < state->entries->len; i++)
		save_file(file, g_ptr_array_index(state->entries, i));
	for (guint i = 0; i < state->actions->len; i++)
		save_action(file, g_ptr_array_index(state->actions, i));
	g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
	return hvr_setup_tree_write(target, STATE_FILE, text, &owner, error);
}

gboolean hvr_setup_state_remove(int target, const HvrSetupState *state, GError **error)
{
	if (!hvr_setup_tree_remove(target, STATE_FILE, error))
		return FALSE;
	hvr_setup_tree_remove_folder(target, HVR_SETUP_ORIGINALS);
	for (guint i = state->folders->len; i > 0; i--)
		hvr_setup_tree_remove_folder(target, g_ptr_array_index(state->folders, i - 1));
	return TRUE;
}
