/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can stand at a place of the command line, for the shells.
 *
 * Nothing is listed here a second time. The commands, their arguments and options are read from the
 * tables that --help shows, and the words in capitals there (VM, FILE, SECTION.KEY=VALUE) say what
 * belongs in their place; a word in small letters stands for itself. So a new option completes by
 * itself, and only a new kind of value needs a row in `sources`.
 */
#include "launcher/command/complete.h"

#include <string.h>

#include "launcher/command/cli.h"
#include "launcher/command/table.h"
#include "launcher/new/kind.h"
#include "launcher/profile/table.h"
#include "launcher/profile/values.h"
#include "launcher/report/text.h"
#include "launcher/runtime/ended.h"
#include "launcher/runtime/journal.h"
#include "launcher/setup/plan.h"
#include "vfio/inventory.h"

typedef struct {
	HvrContext *context;
	const HvrCommand *command; /* NULL: the word may become one */
	GPtrArray *arguments;	   /* of const char *: those in front of the word */
	const HvrOption *valued;   /* the option whose value the word is; NULL: it is no value */
	gboolean behind_dashes;	   /* what comes is an argument whatever it looks like */
	const char *word;
	char *prefix; /* "--option=" or "section.key=": what stays in front of each candidate */
	GHashTable *offered;
	GString *lines;
} Completion;

/* Texts of other people (names of files) may hold anything. */
static gboolean is_clean(const char *text)
{
	g_autofree char *safe = hvr_text_safe(text);

	return g_str_equal(safe, text) && !strchr(text, '\t');
}

static void offer(Completion *c, const char *text, const char *description)
{
	g_autofree char *whole = g_strconcat(c->prefix, text, NULL);

	if (!g_str_has_prefix(whole, c->word) || !is_clean(whole) || !is_clean(description))
		return;
	if (g_hash_table_contains(c->offered, whole))
		return;
	g_string_append_printf(c->lines, "%s\t%s\n", whole, description);
	g_hash_table_add(c->offered, g_steal_pointer(&whole));
}

/* What the shell does better: it knows ~, quotes, and what the user likes to see of files. */
static void ask_shell(Completion *c, const char *what)
{
	g_string_append_printf(c->lines, "%s\n", what);
}

static void set_prefix(Completion *c, const char *start, const char *end)
{
	g_free(c->prefix);
	c->prefix = g_strndup(start, (gsize)(end - start));
}

static void offer_profiles_in(Completion *c, const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	g_autofree char *where = g_strdup_printf("profile in %s", folder);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".ini") && *name != '-') {
			g_autofree char *profile = g_strndup(name, strlen(name) - strlen(".ini"));
			if (*profile)
				offer(c, profile, where);
		}
}

static void offer_profiles(Completion *c)
{
	offer_profiles_in(c, ".");
	if (c->context->config_home) {
		g_autofree char *own =
			g_build_filename(c->context->config_home, "hailo-vm-run", NULL);
		offer_profiles_in(c, own);
	}
	offer_profiles_in(c, c->context->system_config);
	ask_shell(c, ":files .ini");
}

/* What these two say of a VM they say of one that has ended, too. */
static void offer_ended(Completion *c)
{
	g_autoptr(GPtrArray) all = NULL;

	if (g_strcmp0(c->command->name, "log") != 0 && g_strcmp0(c->command->name, "status") != 0)
		return;
	all = hvr_ended_list(c->context);
	for (guint i = 0; i < all->len; i++) {
		const HvrEnded *ended = g_ptr_array_index(all, i);
		offer(c, ended->name, "ended");
	}
}

static void offer_vms(Completion *c)
{
	hvr_context_open_runtime(c->context, FALSE, NULL);
	g_autoptr(GPtrArray) vms = hvr_vm_list(c->context);

	offer_ended(c);

	for (guint i = 0; i < vms->len; i++) {
		const HvrVm *vm = g_ptr_array_index(vms, i);
		offer(c, vm->name, vm->profile ? vm->profile : "");
	}
}

/* Of the VM in front of it: those that unplug can take, or those that plug can bring. */
static void offer_devices(Completion *c)
{
	gboolean in_vm = g_strcmp0(c->command->name, "plug") != 0;

	if (c->arguments->len == 0)
		return;
	g_autoptr(HvrVm) vm = hvr_cli_vm(c->context, g_ptr_array_index(c->arguments, 0), NULL);
	for (guint i = 0; vm && i < vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(vm->devices, i);
		if (device->in_vm == in_vm)
			offer(c, device->section, device->address);
	}
}

/* Those of `qmp` are QEMU's. */
static void offer_commands(Completion *c)
{
	for (guint i = 0; g_str_equal(c->command->name, "help") && hvr_commands[i]; i++)
		offer(c, hvr_commands[i]->name, hvr_commands[i]->summary);
}

static void offer_journalled(Completion *c)
{
	hvr_context_open_runtime(c->context, FALSE, NULL);
	if (c->context->runtime < 0)
		return;
	g_autoptr(GPtrArray) entries = hvr_journal_list(c->context->runtime, NULL);
	for (guint i = 0; i < entries->len; i++) {
		const HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		g_autofree char *whose = g_strdup("prepared");
		if (entry->vm) {
			g_free(whose);
			whose = g_strdup_printf("of VM %s", entry->vm);
		}
		offer(c, entry->name, whose);
	}
}

typedef enum { CARD_MATCH, CARD_ADDRESS, CARD_PATH } CardBy;

static void offer_cards(Completion *c, CardBy by)
{
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(&c->context->host, NULL);
	const GPtrArray *functions = NULL;

	if (inventory)
		functions = hvr_inventory_functions(inventory);
	for (guint i = 0; functions && i < functions->len; i++) {
		const HvrPciFunction *card = g_ptr_array_index(functions, i);
		g_autofree char *match = g_strdup_printf("%04x:%04x", card->vendor, card->device);
		const char *texts[] = { match, card->name, card->path };
		if (!card->quirk || !texts[by])
			continue;
		g_autofree char *name = hvr_inventory_describe(inventory, card);
		offer(c, texts[by], name);
	}
}

static void offer_matches(Completion *c)
{
	offer_cards(c, CARD_MATCH);
}

static void offer_addresses(Completion *c)
{
	offer_cards(c, CARD_ADDRESS);
}

static void offer_paths(Completion *c)
{
	offer_cards(c, CARD_PATH);
}

static void offer_parts(Completion *c)
{
	for (guint part = 0; part < HVR_SETUP_N_PARTS; part++)
		offer(c, hvr_setup_part_name((HvrSetupPart)part),
		      hvr_setup_part_summary((HvrSetupPart)part));
}

static void offer_kinds(Completion *c)
{
	for (const HvrNewKind *kind = hvr_new_kinds; kind->name; kind++)
		offer(c, kind->name, kind->summary);
}

static void offer_files(Completion *c)
{
	ask_shell(c, ":files");
}

static void offer_folders(Completion *c)
{
	ask_shell(c, ":folders");
}

static void offer_keys(Completion *c, const HvrProfileSection *section, const char *name)
{
	g_autofree char *prefix = g_strdup(section->name);

	if (name) {
		g_free(prefix);
		prefix = g_strdup_printf("%s.%s", section->name, name);
	}
	for (gsize i = 0; i < section->n_keys; i++) {
		const HvrProfileKey *key = &section->keys[i];
		g_autofree char *text = g_strdup_printf("%s.%s=", prefix, key->name);
		offer(c, text, key->help);
	}
}

/* Sections with names are those of the profile that stands in front. */
static void offer_all_keys(Completion *c)
{
	g_autoptr(HvrProfile) profile = NULL;

	if (c->arguments->len)
		profile =
			hvr_cli_profile(c->context, g_ptr_array_index(c->arguments, 0), NULL, NULL);
	for (const HvrProfileSection *s = hvr_profile_table(NULL); s->name; s++) {
		if (!s->named)
			offer_keys(c, s, NULL);
		if (!s->named || !profile)
			continue;
		const GPtrArray *list = *(GPtrArray **)G_STRUCT_MEMBER_P(profile, s->list_offset);
		for (guint i = 0; i < list->len; i++)
			offer_keys(c, s, *(char **)g_ptr_array_index(list, i));
	}
}

/* Those that the profile in front has, and a kind for all of them: what --without can leave out. */
static void offer_sections(Completion *c)
{
	g_autoptr(HvrProfile) profile = NULL;

	if (c->arguments->len)
		profile =
			hvr_cli_profile(c->context, g_ptr_array_index(c->arguments, 0), NULL, NULL);
	for (const HvrProfileSection *s = hvr_profile_table(NULL); s->name; s++) {
		const GPtrArray *list = NULL;
		if (s->named && profile)
			list = *(GPtrArray **)G_STRUCT_MEMBER_P(profile, s->list_offset);
		if (!s->named || (list && list->len))
			offer(c, s->name, s->help);
		for (guint i = 0; list && i < list->len; i++) {
			g_autofree char *text = g_strdup_printf(
				"%s.%s", s->name, *(char **)g_ptr_array_index(list, i));
			offer(c, text, s->help);
		}
	}
}

static void offer_values(Completion *c, const HvrProfileKey *key)
{
	static const struct {
		HvrValueParser parse;
		void (*offer)(Completion *c);
	} kinds[] = {
		{ hvr_value_path, offer_files },	{ hvr_value_initrd, offer_files },
		{ hvr_value_ssh_key, offer_files },	{ hvr_value_program, offer_files },
		{ hvr_value_folder, offer_folders },	{ hvr_value_match, offer_matches },
		{ hvr_value_address, offer_addresses }, { hvr_value_pci_path, offer_paths },
	};

	for (gsize i = 0; key->words && key->words[i]; i++)
		offer(c, key->words[i], "");
	if (key->fallback)
		offer(c, key->fallback, "default");
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (key->parse == kinds[i].parse)
			kinds[i].offer(c);
}

/* "section.key=" or "section.name.key=", of which the name may be anything. */
static const HvrProfileKey *find_key(const char *start, const char *equals)
{
	g_autofree char *text = g_strndup(start, (gsize)(equals - start));
	char *key = strrchr(text, '.');
	char *dot = strpbrk(text, ". ");

	if (!key)
		return NULL;
	*key++ = *dot = '\0';
	const HvrProfileSection *section = hvr_profile_section(text);
	if (!section)
		return NULL;
	int index = hvr_profile_key_index(section, key);
	if (index < 0)
		return NULL;
	return &section->keys[index];
}

static void offer_settings(Completion *c)
{
	const char *start = c->word + strlen(c->prefix);
	const char *equals = strchr(start, '=');

	if (!equals) {
		offer_all_keys(c);
		return;
	}
	const HvrProfileKey *key = find_key(start, equals);
	if (!key)
		return;
	set_prefix(c, c->word, equals + 1);
	offer_values(c, key);
}

/* What the words in capitals stand for; of others the shell knows as little as we do. */
static const struct {
	const char *placeholder;
	void (*offer)(Completion *c);
} sources[] = {
	{ "PROFILE", offer_profiles }, { "VM", offer_vms },
	{ "DEVICE", offer_devices },   { "ADDRESS", offer_journalled },
	{ "CARD", offer_addresses },   { "VENDOR:DEVICE", offer_matches },
	{ "PATH", offer_paths },       { "PART", offer_parts },
	{ "FILE", offer_files },       { "HOSTFILE:GUESTFILE", offer_files },
	{ "DIR", offer_folders },      { "SECTION.KEY=VALUE", offer_settings },
	{ "COMMAND", offer_commands }, { "SECTION", offer_sections },
	{ "KIND", offer_kinds },
};

/* "PROFILE|ADDRESS|--all", "[PART...]", "intel|amd|arm" */
static void offer_placeholder(Completion *c, const char *placeholder)
{
	g_auto(GStrv) choices = g_strsplit_set(placeholder, "|[]", -1);

	for (char **choice = choices; *choice; choice++) {
		char *dots = strstr(*choice, "...");
		if (dots)
			*dots = '\0';
		if (**choice && !g_ascii_isupper(**choice))
			offer(c, *choice, "");
		for (gsize i = 0; i < G_N_ELEMENTS(sources); i++)
			if (g_str_equal(*choice, sources[i].placeholder))
				sources[i].offer(c);
	}
}

/* The command's argument at the place that the word has. */
static void offer_argument(Completion *c)
{
	g_auto(GStrv) places = g_strsplit(c->command->words, " ", -1);
	guint n = g_strv_length(places), i = c->arguments->len;

	if (n && i >= n && strstr(places[n - 1], "..."))
		i = n - 1;
	if (i < n)
		offer_placeholder(c, places[i]);
}

/* The first word: a command, a profile, or an option of the program's own. */
static void offer_first(Completion *c)
{
	if (*c->word == '-') {
		for (const HvrGlobalOption *global = hvr_global_options; global->name; global++)
			offer(c, global->name, global->summary);
		return;
	}
	for (guint i = 0; hvr_commands[i]; i++)
		offer(c, hvr_commands[i]->name, hvr_commands[i]->summary);
	offer_profiles(c);
}

/* "--timeout", "--timeout=5" or "-t". */
static const HvrOption *find_option(const Completion *c, const char *word)
{
	if (word[1] == '-')
		return hvr_command_option_named(c->command, word + 2, strcspn(word + 2, "="));
	if (word[2])
		return NULL;
	return hvr_command_option_lettered(c->command, word[1]);
}

/* A word in front of the one to complete. */
static void pass(Completion *c, const char *word)
{
	gboolean was_value = c->valued != NULL;
	gboolean is_dashes = g_str_equal(word, "--");

	c->valued = NULL;
	if (was_value)
		return;
	if (!c->behind_dashes && *word == '-' && word[1] && !is_dashes) {
		const HvrOption *option = find_option(c, word);
		if (option && !strchr(word, '=') && hvr_option_takes_word(option))
			c->valued = option;
		return;
	}
	/* It has a place of its own in "VM -- CMD", and in others none. */
	if (!is_dashes || c->behind_dashes || c->command->tail)
		g_ptr_array_add(c->arguments, (gpointer)word);
	/* The same where another program's command line has begun: see hvr_invocation_parse() */
	gboolean in_tail = c->command->tail && c->arguments->len > c->command->most;
	c->behind_dashes = c->behind_dashes || is_dashes || in_tail;
}

static void offer_here(Completion *c)
{
	const char *equals = strchr(c->word, '=');
	const HvrOption *option;

	if (!c->valued && !c->behind_dashes && g_str_has_prefix(c->word, "--") && equals) {
		c->valued = find_option(c, c->word);
		if (c->valued)
			set_prefix(c, c->word, equals + 1);
	}
	if (c->valued) {
		if (c->valued->value)
			offer_placeholder(c, c->valued->value);
		return;
	}
	if (*c->word != '-' || c->behind_dashes) {
		offer_argument(c);
		return;
	}
	for (guint i = 0; (option = hvr_command_option(c->command, i)); i++) {
		g_autofree char *text = g_strconcat("--", option->name, NULL);
		offer(c, text, option->help);
	}
}

static void complete(Completion *c, char **words)
{
	guint last = g_strv_length(words) - 1;
	guint i = 0;

	c->word = words[last];
	if (last == 0) {
		offer_first(c);
		if (*c->word != '-')
			return;
	}
	c->command = hvr_command_find(words[0]);
	if (c->command && last > 0)
		i = 1;
	else
		c->command = hvr_commands[0];
	for (; i < last; i++)
		pass(c, words[i]);
	offer_here(c);
}

char *hvr_complete(HvrContext *context, char **words)
{
	Completion c = { .context = context,
			 .arguments = g_ptr_array_new(),
			 .prefix = g_strdup(""),
			 .offered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
			 .lines = g_string_new(NULL) };

	if (words[0])
		complete(&c, words);
	else
		offer_folders(&c); /* the value of --root was the last word */
	g_ptr_array_unref(c.arguments);
	g_free(c.prefix);
	g_hash_table_unref(c.offered);
	return g_string_free(c.lines, FALSE);
}
