/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a script's text to words.
 *
 *   lines -> pieces, which end where a line ends outside of quotes -> the words of each, by
 * g_shell_parse_argv() -> commands, which go on behind a backslash and within NAME=( )
 *
 * Each byte is looked at once, whatever quotes are missing. The quotes are followed here only to
 * find where a piece ends; what a word is, is GLib's to say.
 */
#include "launcher/import/shell.h"

#include <string.h>

typedef struct {
	HvrImport *import;
	GPtrArray *commands;
	GPtrArray *command; /* the one that goes on; NULL: the next piece begins one */
	gboolean in_array;
	guint line;
} Reader;

static void word_free(gpointer data)
{
	HvrImportWord *word = data;

	g_free(word->text);
	g_free(word);
}

GPtrArray *hvr_import_words_new(void)
{
	return g_ptr_array_new_with_free_func(word_free);
}

void hvr_import_words_add(GPtrArray *words, guint line, const char *text)
{
	HvrImportWord *word = g_new0(HvrImportWord, 1);

	word->line = line;
	word->text = g_strdup(text);
	g_ptr_array_add(words, word);
}

gboolean hvr_import_words_split(GPtrArray *words, guint line, const char *text)
{
	g_auto(GStrv) pieces = NULL;

	if (!g_shell_parse_argv(text, NULL, &pieces, NULL))
		return FALSE;
	for (guint i = 0; pieces[i]; i++)
		hvr_import_words_add(words, line, pieces[i]);
	return TRUE;
}

gsize hvr_import_name_length(const char *text)
{
	return strspn(text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_");
}

gboolean hvr_import_note_variable(HvrImport *import, guint line, const char *text, const char *what)
{
	if (!strpbrk(text, "$`"))
		return FALSE;
	hvr_import_note(import, line, what, "its variable is not understood: nothing is expanded",
			FALSE);
	return TRUE;
}

void hvr_import_assignment_clear(HvrImportAssignment *assignment)
{
	g_clear_pointer(&assignment->name, g_free);
	g_clear_pointer(&assignment->words, g_ptr_array_unref);
}

/* @first: what of the first word is behind the bracket. [transfer full] */
static GPtrArray *array_words(const GPtrArray *command, const char *first)
{
	GPtrArray *words = hvr_import_words_new();

	for (guint i = 0; i < command->len; i++) {
		const HvrImportWord *word = g_ptr_array_index(command, i);
		g_autofree char *text = g_strdup(i ? word->text : first);
		if (i + 1 == command->len && g_str_has_suffix(text, ")"))
			text[strlen(text) - 1] = '\0';
		if (*text)
			hvr_import_words_add(words, word->line, text);
	}
	return words;
}

gboolean hvr_import_assignment(const GPtrArray *command, HvrImportAssignment *out_assignment)
{
	const HvrImportWord *first = g_ptr_array_index(command, 0);
	gsize length = hvr_import_name_length(first->text);
	const char *sign = first->text + length;
	gboolean appends = *sign == '+';
	const char *value = sign + appends + 1;

	if (!length || sign[appends] != '=' || (*value != '(' && command->len > 1))
		return FALSE;
	*out_assignment =
		(HvrImportAssignment){ .name = g_strndup(first->text, length), .appends = appends };
	if (*value == '(')
		out_assignment->words = array_words(command, value + 1);
	else
		out_assignment->value = value;
	return TRUE;
}

/* Where the piece at @text ends: at the end of a line that no quote is open at, or of the text.
 * @out_lines: how many of them it is @out_goes_on: a backslash stands at its end */
static const char *find_end(const char *text, guint *out_lines, gboolean *out_goes_on)
{
	gboolean begins = TRUE; /* of a word: a comment may be here */
	char quote = '\0';
	const char *c;

	*out_lines = 1;
	*out_goes_on = FALSE;
	for (c = text; *c && (*c != '\n' || quote); c++) {
		gboolean blank = *c == ' ' || *c == '\t';
		*out_lines += *c == '\n';
		if (!quote && begins && *c == '#')
			return c + strcspn(c, "\n");
		if (*c == '\\' && quote != '\'' && c[1] == '\n' && !quote) {
			*out_goes_on = TRUE;
			return c + 1;
		}
		if (*c == '\\' && quote != '\'' && c[1])
			*out_lines += *++c == '\n';
		else if (quote ? *c == quote : *c == '"' || *c == '\'')
			quote = quote ? '\0' : *c;
		begins = blank;
	}
	return c;
}

/* "NAME=(" and "NAME+=(" */
static gboolean begins_array(const char *word)
{
	gsize name = hvr_import_name_length(word);
	const char *rest = word + name;

	return name && (g_str_has_prefix(rest, "=(") || g_str_has_prefix(rest, "+=("));
}

static void add_word(Reader *reader, const char *text)
{
	if (!reader->command) {
		reader->command = hvr_import_words_new();
		g_ptr_array_add(reader->commands, reader->command);
	}
	if (begins_array(text) && reader->command->len == 0)
		reader->in_array = TRUE;
	if (reader->in_array && g_str_has_suffix(text, ")"))
		reader->in_array = FALSE;
	hvr_import_words_add(reader->command, reader->line, text);
	reader->import->n_fields++;
}

/* Is a command that the shell would run for a part of the word, "$(id -u)", cut by a blank of it?
 */
static gboolean is_cut(const char *word)
{
	const char *begin = strstr(word, "$(");
	guint ticks = 0;
	int depth = 0;

	for (const char *c = begin; c && *c; c++)
		depth += (*c == '(') - (*c == ')');
	for (const char *c = word; *c; c++)
		ticks += *c == '`';
	return depth > 0 || ticks % 2;
}

/* The words of @words from @i on that are one. [transfer full] */
static char *whole_word(char **words, guint *i)
{
	g_autoptr(GString) word = g_string_new(words[*i]);

	for (guint most = 64; is_cut(word->str) && words[*i + 1] && most; most--)
		g_string_append_printf(word, " %s", words[++*i]);
	return g_strdup(word->str);
}

static void read_piece(Reader *reader, const char *piece)
{
	g_auto(GStrv) words = NULL;
	g_autoptr(GError) error = NULL;

	if (!g_shell_parse_argv(piece, NULL, &words, &error)) {
		if (!g_error_matches(error, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING))
			hvr_import_note(reader->import, reader->line, piece,
					"it cannot be split into words", FALSE);
		return;
	}
	for (guint i = 0; words[i] && !hvr_import_is_full(reader->import); i++) {
		g_autofree char *word = whole_word(words, &i);
		add_word(reader, word);
	}
}

GPtrArray *hvr_import_shell_lines(HvrImport *import, const char *text)
{
	Reader reader = {
		.import = import,
		.commands = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref),
		.line = 1,
	};

	while (*text && !hvr_import_is_full(import)) {
		gboolean goes_on;
		guint lines;
		const char *end = find_end(text, &lines, &goes_on);
		g_autofree char *piece = g_strndup(text, (gsize)(end - text) - (goes_on ? 1 : 0));
		read_piece(&reader, piece);
		if (!goes_on && !reader.in_array)
			reader.command = NULL;
		reader.line += lines;
		text = *end ? end + 1 : end;
	}
	return reader.commands;
}
