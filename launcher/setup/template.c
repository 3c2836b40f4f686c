/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Templates are text with @WORDS@ in it. A line with a word that differs from card to card comes
 * out once for each card that has something to say there; all other lines come out once.
 */
#include "launcher/setup/template.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "launcher/report/error.h"
#include "launcher/setup/cards.h"
#include "vfio/fd.h"

#define LARGEST (64 * 1024)

static const char *const names[] = {
	"bind.rules",	   "bind.sh",
	"dracut-bind.sh",  "dracut-module-setup.sh",
	"grub.cfg",	   "hailo-vm@.service",
	"initramfs-hook",  "initramfs-script",
	"guard-load.conf", "guard-modprobe.conf",
	"limits.conf",	   "modprobe.conf",
	"reset.rules",	   "tmpfiles.conf",
	"vfio.rules",
};

HvrSetupTemplates *hvr_setup_templates_load(const char *folder, GError **error)
{
	g_autoptr(GHashTable) templates =
		g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);
		g_autofree char *text = g_malloc0(LARGEST + 1);
		g_auto(HvrFd) fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || hvr_fd_read_all(fd, text, LARGEST) < 0) {
			int saved = errno;
			g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
				    "setup's templates are not complete: cannot read '%s': %s",
				    path, g_strerror(saved));
			hvr_error_hint(error, "install hailo-vm-run again, or name their folder "
					      "with --templates");
			return NULL;
		}
		g_hash_table_insert(templates, (gpointer)names[i], g_strdup(text));
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
	static const HvrSetupCard no_card = { 0 };
	const HvrSetupCard *card = filling->card ? filling->card : &no_card;
	const struct {
		const char *name;
		const char *value;
	} table[] = {
		{ "PATTERN", card->pattern },
		{ "MATCH", card->match },
		{ "MATCH_CHILD", card->match_child },
		{ "RESET", card->reset },
	};

	for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
		if (!g_str_equal(name, table[i].name))
			continue;
		filling->about_cards = TRUE;
		if (table[i].value)
			return table[i].value;
		filling->nothing = TRUE;
		return "";
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
	if (g_str_equal(name, "IDS")) {
		char *ids = hvr_setup_cards_ids(filling->cards, NULL);
		/* Without one it is a line about cards of which none has anything to say */
		filling->about_cards = filling->nothing = !*ids;
		return ids;
	}
	if (g_str_equal(name, "PROGRAM"))
		return g_strdup(filling->words->program);
	if (g_str_equal(name, "BIND")) {
		char *text = hvr_setup_template_fill(filling->templates, "bind.sh", filling->cards,
						     filling->words);
		if (text)
			return g_strchomp(text);
		return g_strdup("");
	}
	if (g_str_equal(name, "RESET_WORD")) {
		filling->about_cards = TRUE;
		if (card && card->reset)
			return g_strdup_printf(" '%s'", card->reset);
		return g_strdup("");
	}
	return g_strdup(card_word(filling, name));
}

static char *fill_line(Filling *filling, const char *line)
{
	GString *out = g_string_new(NULL);

	while (*line) {
		g_autofree char *value = NULL;
		gsize n = 0;
		if (*line == '@')
			n = strspn(line + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
		if (n > 0 && line[n + 1] == '@') {
			g_autofree char *name = g_strndup(line + 1, n);
			value = word(filling, name);
		}
		if (value) {
			g_string_append(out, value);
			line += n + 2;
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
