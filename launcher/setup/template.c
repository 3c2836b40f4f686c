/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Templates are text with @WORDS@ in it. A line with a word that differs from card to card comes
 * out once for each card that has something to say there; all other lines come out once.
 */
#include "launcher/setup/template.h"

#include <string.h>

#include "launcher/report/error.h"
#include "launcher/setup/cards.h"

static const char *const names[] = {
	"bind.rules",  "bind.sh",	    "dracut-bind.sh", "dracut-module-setup.sh",
	"grub.cfg",    "hailo-vm@.service", "initramfs-hook", "initramfs-script",
	"limits.conf", "modprobe.conf",	    "reset.rules",    "vfio.rules",
};

HvrSetupTemplates *hvr_setup_templates_load(const char *folder, GError **error)
{
	g_autoptr(GHashTable) templates =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);
		g_autoptr(GError) cause = NULL;
		char *text = NULL;
		if (!g_file_get_contents(path, &text, NULL, &cause)) {
			g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
				    "setup's templates are not complete: %s", cause->message);
			hvr_error_hint(error, "install hailo-vm-run again, or name their folder "
					      "with --templates");
			return NULL;
		}
		g_hash_table_insert(templates, (gpointer)names[i], text);
	}
	return g_steal_pointer(&templates);
}

typedef struct {
	HvrSetupTemplates *templates;
	const GPtrArray *cards;
	const HvrSetupWords *words;
	const HvrSetupCard *card; /* the one of this line; NULL: a line about no card */
	gboolean about_cards;	  /* the word found needs one */
	gboolean nothing;	  /* the card has nothing to say there */
} Filling;

static const char *card_word(Filling *filling, const char *name)
{
	const HvrSetupCard *card = filling->card;
	struct {
		const char *name;
		const char *value;
	} table[] = {
		{ "PATTERN", card ? card->pattern : "" },
		{ "MATCH", card ? card->match : "" },
		{ "MATCH_CHILD", card ? card->match_child : "" },
		{ "RESET", card ? card->reset : "" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(table); i++)
		if (g_str_equal(name, table[i].name)) {
			filling->about_cards = TRUE;
			filling->nothing = filling->nothing || !table[i].value;
			return table[i].value ? table[i].value : "";
		}
	return NULL;
}

/* The word @name; NULL when there is no such one. (transfer full) */
static char *word(Filling *filling, const char *name)
{
	const HvrSetupCard *card = filling->card;

	if (g_str_equal(name, "ARGUMENTS"))
		return g_strdup(filling->words->arguments);
	if (g_str_equal(name, "GROUP"))
		return g_strdup(HVR_SETUP_GROUP);
	if (g_str_equal(name, "PROGRAM"))
		return g_strdup(filling->words->program);
	if (g_str_equal(name, "BIND")) {
		char *text = hvr_setup_template_fill(filling->templates, "bind.sh", filling->cards,
						     filling->words);
		return text ? g_strchomp(text) : g_strdup("");
	}
	if (g_str_equal(name, "RESET_WORD")) {
		filling->about_cards = TRUE;
		return card && card->reset ? g_strdup_printf(" '%s'", card->reset) : g_strdup("");
	}
	return g_strdup(card_word(filling, name));
}

/* The name between two @; NULL when it is not one. (transfer full) */
static char *name_at(const char *text)
{
	gsize n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

	return n > 0 && text[n] == '@' ? g_strndup(text, n) : NULL;
}

static char *fill_line(Filling *filling, const char *line)
{
	GString *out = g_string_new(NULL);

	while (*line) {
		g_autofree char *name = *line == '@' ? name_at(line + 1) : NULL;
		g_autofree char *value = name ? word(filling, name) : NULL;
		if (value) {
			g_string_append(out, value);
			line += strlen(name) + 2;
		} else {
			g_string_append_c(out, *line++);
		}
	}
	return g_string_free(out, FALSE);
}

/* Returns whether it is a line about cards; @out_said: and one of them had something to say. */
static gboolean append_line(Filling *filling, const char *line, GString *out, gboolean *out_said)
{
	filling->card = NULL;
	filling->about_cards = FALSE;
	g_autofree char *plain = fill_line(filling, line);

	if (!filling->about_cards) {
		g_string_append_printf(out, "%s\n", plain);
		return FALSE;
	}
	for (guint i = 0; i < filling->cards->len; i++) {
		filling->card = g_ptr_array_index(filling->cards, i);
		filling->nothing = FALSE;
		g_autofree char *filled = fill_line(filling, line);
		if (filling->nothing)
			continue;
		g_string_append_printf(out, "%s\n", filled);
		*out_said = TRUE;
	}
	return TRUE;
}

char *hvr_setup_template_fill(HvrSetupTemplates *templates, const char *name,
			      const GPtrArray *cards, const HvrSetupWords *words)
{
	const char *text = g_hash_table_lookup(templates, name);
	Filling filling = { .templates = templates, .cards = cards, .words = words };
	gboolean about_cards = FALSE, said = FALSE;

	g_return_val_if_fail(text, NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *out = g_string_new(NULL);
	for (guint i = 0; lines[i] && (lines[i + 1] || *lines[i]); i++)
		about_cards |= append_line(&filling, lines[i], out, &said);
	return g_string_free(out, about_cards && !said);
}
