/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * warm: guests that are saved for `run --warm` and `test --warm`.
 */
#include <stdio.h>
#include <string.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/command/help.h"
#include "launcher/report/error.h"
#include "launcher/report/json.h"
#include "launcher/report/message.h"
#include "launcher/session/warm.h"
#include "launcher/warm/store.h"

#define WAIT_READY_S 300
#define DROP_ALL     "all"

typedef struct {
	HvrProfileChanges changes;
	char *events, *drop;
	int wait_ready_s;
	gboolean list, json;
} Options;

static JsonObject *to_object(const HvrWarmEntry *entry)
{
	const HvrWarmManifest *manifest = entry->manifest;
	JsonObject *object = json_object_new();

	json_object_set_string_member(object, "state", manifest->key);
	json_object_set_string_member(object, "vm", manifest->vm);
	json_object_set_string_member(object, "profile", manifest->profile);
	json_object_set_int_member(object, "uid", manifest->uid);
	json_object_set_int_member(object, "saved", manifest->made_s);
	json_object_set_int_member(object, "used", entry->used_s);
	json_object_set_int_member(object, "bytes", (gint64)entry->bytes);
	return object;
}

static void show_json(const GPtrArray *entries)
{
	JsonObject *object = json_object_new();
	JsonArray *states = json_array_new();

	for (guint i = 0; i < entries->len; i++)
		json_array_add_object_element(states, to_object(g_ptr_array_index(entries, i)));
	json_object_set_array_member(object, "states", states);
	hvr_json_print(object);
}

static void show_text(const GPtrArray *entries)
{
	if (!entries->len)
		hvr_message("no guest is saved");
	for (guint i = 0; i < entries->len; i++) {
		const HvrWarmEntry *entry = g_ptr_array_index(entries, i);
		g_autoptr(GDateTime) used = g_date_time_new_from_unix_local(entry->used_s);
		g_autofree char *when = used ? g_date_time_format(used, "%F %H:%M") : NULL;

		printf("%.12s  %-16s  %6" G_GUINT64_FORMAT " MiB  %s  %s\n", entry->manifest->key,
		       entry->manifest->vm, entry->bytes >> 20, when ? when : "-",
		       entry->manifest->profile);
	}
}

static int list(const HvrWarmStore *store, const Options *options)
{
	g_autoptr(GPtrArray) entries =
		store->folder >= 0 ? hvr_warm_store_list(store) : g_ptr_array_new();

	if (options->json)
		show_json(entries);
	else
		show_text(entries);
	return 0;
}

/* @word: the beginning of a state's key, or a VM's name, or DROP_ALL */
static gboolean is_meant(const HvrWarmEntry *entry, const char *word)
{
	return g_str_equal(word, DROP_ALL) || g_str_equal(word, entry->manifest->vm) ||
	       (strlen(word) >= 8 && g_str_has_prefix(entry->manifest->key, word));
}

static int drop(const HvrWarmStore *store, const char *word, GError **error)
{
	g_autoptr(GPtrArray) entries =
		store->folder >= 0 ? hvr_warm_store_list(store) : g_ptr_array_new();
	guint dropped = 0;

	if (store->folder >= 0)
		hvr_warm_store_sweep(store);
	for (guint i = 0; i < entries->len; i++) {
		const HvrWarmEntry *entry = g_ptr_array_index(entries, i);
		GError *cause = NULL;

		if (!is_meant(entry, word))
			continue;
		if (!hvr_warm_store_drop(store, entry->manifest->key, &cause) && cause) {
			g_propagate_error(error, cause);
			return -1;
		}
		hvr_message("state %.12s of VM '%s' is dropped", entry->manifest->key,
			    entry->manifest->vm);
		dropped++;
	}
	if (dropped || g_str_equal(word, DROP_ALL))
		return 0;
	hvr_command_usage(error, "warm", "no state is of '%s'", word);
	return -1;
}

static int save(HvrContext *context, const char *word, const Options *options, GError **error)
{
	HvrRunOptions how = { .mode = HVR_RUN_SUPERVISE,
			      .ready_fd = -1,
			      .wait_ready_s = options->wait_ready_s };
	g_autoptr(HvrProfile) profile = hvr_cli_profile(context, word, &options->changes, error);

	if (!profile)
		return -1;
	/* The guest is known by the name in the profile; this VM is nobody else's. */
	g_auto(HvrCliTaken) taken = { .context = NULL };
	if (!hvr_cli_take(context, profile, options->events, &taken, error))
		return -1;
	how.vm_lock = g_steal_pointer(&taken.lock);
	return hvr_warm_save(context, profile, &how, error) ? 0 : -1;
}

static gboolean check(const HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const char *wrong = NULL;

	if (context->captured)
		wrong = "--root shows a captured tree, which has no states";
	else if (options->list && options->drop)
		wrong = "--list and --drop exclude each other";
	else if ((options->list || options->drop) && invocation->words[0])
		wrong = "--list and --drop take no PROFILE";
	else if (!options->list && !options->drop && !invocation->words[0])
		wrong = "a PROFILE is missing, or --list, or --drop";
	else if (options->json && !options->list)
		wrong = "--json is for --list";
	if (wrong)
		hvr_command_usage(error, "warm", "%s", wrong);
	return !wrong;
}

static int warm(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	g_auto(HvrWarmStore) store = HVR_WARM_STORE_NONE;
	GError *cause = NULL;

	if (!check(context, invocation, error))
		return -1;
	if (!options->list && !options->drop)
		return save(context, invocation->words[0], options, error);
	if (!hvr_warm_store_open(context, FALSE, &store, &cause) && cause) {
		g_propagate_error(error, cause);
		return -1;
	}
	return options->list ? list(&store, options) : drop(&store, options->drop, error);
}

static const HvrOption table[] = {
	{ "list", 'l', HVR_FLAG(Options, list), NULL, "Show the guests that are saved" },
	{ "drop", 0, HVR_TEXT(Options, drop), "STATE|VM|all",
	  "Drop those of a VM, one by its number, or all" },
	HVR_OPTION_JSON(Options, json),
	HVR_OPTION_EVENTS(Options, events),
	HVR_OPTIONS_CHANGES(Options, changes),
	{ "wait-ready", 0, HVR_SECONDS(Options, wait_ready_s, 1, HVR_DAY_S), "S",
	  "How long the guest may take to be ready (default 300)" },
	{ .name = NULL },
};

const HvrCommand hvr_command_warm = {
	.name = "warm",
	.words = "PROFILE",
	.summary = "save a guest that is ready, for run --warm and test --warm",
	.most = 1,
	.options = table,
	.size = sizeof(Options),
	.defaults = &(const Options){ .wait_ready_s = WAIT_READY_S },
	.describe = hvr_help_profile_keys,
	.run = warm,
};
