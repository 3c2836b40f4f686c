/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A script line by line: what it sets is remembered, what it would run is told of.
 *
 * Nobody asks whether the condition of an `if` or a loop holds. Option words that are set there are
 * taken and know the line of that condition; any other value that is set there is unknown from then
 * on. A function's body is read where it is called, at each call, and at the end where none is
 * seen.
 */
#include <string.h>

#include "launcher/import/shell-state.h"

static void command_free(gpointer data)
{
	HvrImportCommand *command = data;

	g_free(command->name);
	g_ptr_array_unref(command->words);
	g_free(command);
}

guint hvr_shell_own_condition(const HvrImportShell *shell)
{
	guint n = shell->conditions->len;

	if (shell->depends)
		return shell->depends;
	return n ? g_array_index(shell->conditions, guint, n - 1) : 0;
}

static guint condition_of(const HvrImportShell *shell)
{
	guint own = hvr_shell_own_condition(shell);

	return own ? own : shell->outer;
}

static HvrImportCommand *add_command(HvrImportShell *shell, const HvrShellLine *line,
				     const char *name, const GPtrArray *texts)
{
	HvrImportCommand *command = g_new0(HvrImportCommand, 1);
	const HvrShellMark mark = { .line = line->line };

	command->line = line->line;
	command->name = g_strdup(name);
	command->words = hvr_import_words_new();
	command->condition = condition_of(shell);
	command->redirected = line->redirected;
	hvr_shell_to_words(texts, mark, command->words);
	g_ptr_array_add(shell->commands, command);
	return command;
}

/* The words from @from on, expanded. @condition: that of what they are put into
 * [transfer full] */
static GPtrArray *expand_words(HvrImportShell *shell, const GPtrArray *words, guint from,
			       guint condition)
{
	GPtrArray *texts = hvr_shell_texts_new();

	for (guint i = from; i < words->len; i++) {
		const HvrImportWord *word = g_ptr_array_index(words, i);
		const HvrShellMark mark = { .line = word->line, .condition = condition };
		hvr_shell_expand(&shell->variables, word->text, mark, TRUE, texts);
	}
	return texts;
}

/* --------------------------------------------------------------------------- assignments */

const char *hvr_shell_find_sign(const char *word)
{
	gsize length = hvr_import_name_length(word);
	const char *sign = word + length;

	if (!length || g_ascii_isdigit(*word))
		return NULL;
	return *sign == '=' || g_str_has_prefix(sign, "+=") ? sign : NULL;
}

gboolean hvr_shell_is_options(const GPtrArray *texts)
{
	const HvrShellText *first = texts->len ? g_ptr_array_index(texts, 0) : NULL;

	if (!first)
		return TRUE;
	const char *text = first->bytes->str + strspn(first->bytes->str, " \t\n");
	return *text == '-' || !*text;
}

/* What is not known is shown by its own name, as the line that has it does; but what QEMU it is
 * shows in how it is looked for. */
static gboolean is_known(const GPtrArray *texts)
{
	const HvrShellText *first = g_ptr_array_index(texts, 0);

	return !strchr(first->bytes->str, HVR_IMPORT_UNKNOWN) || strstr(first->bytes->str, "qemu");
}

/* NAME+=TEXT of one that is no array is the same word, longer. */
static void lengthen(HvrImportShell *shell, const char *name, GPtrArray *texts)
{
	const GPtrArray *old = g_hash_table_lookup(shell->variables.values, name);
	HvrShellText *added = g_ptr_array_index(texts, 0);

	if (!old || !old->len)
		return;
	const HvrShellText *first = g_ptr_array_index(old, 0);
	g_string_prepend_len(added->bytes, first->bytes->str, (gssize)first->bytes->len);
	g_array_prepend_vals(added->marks, first->marks->data, first->marks->len);
}

/* NAME=() where a condition may have it: what NAME holds is there still where that does not hold */
static gboolean may_empty(HvrImportShell *shell, const HvrImportCommand *command,
			  const GPtrArray *texts)
{
	const GPtrArray *old = g_hash_table_lookup(shell->variables.values, command->name);

	return hvr_shell_own_condition(shell) && !texts->len && old && old->len;
}

/* @texts: taken */
static void set(HvrImportShell *shell, const HvrImportCommand *command, GPtrArray *texts)
{
	if (shell->open->len)
		g_ptr_array_add(shell->changed, g_strdup(command->name));
	if (command->array && command->appends) {
		hvr_shell_append(&shell->variables, command->name, texts);
		g_ptr_array_unref(texts);
		return;
	}
	if (command->appends)
		lengthen(shell, command->name, texts);
	gboolean options = hvr_shell_is_options(texts) && !may_empty(shell, command, texts);
	if (options || (!hvr_shell_own_condition(shell) && is_known(texts))) {
		hvr_shell_set(&shell->variables, command->name, texts);
	} else {
		hvr_shell_forget(&shell->variables, command->name);
		g_ptr_array_unref(texts);
	}
}

/* Nothing where @word is none */
static void read_assignment(HvrImportShell *shell, const HvrShellLine *line,
			    const HvrImportWord *word)
{
	const char *sign = hvr_shell_find_sign(word->text);

	if (!sign)
		return;
	g_autofree char *name = g_strndup(word->text, (gsize)(sign - word->text));
	const gboolean appends = *sign == '+';
	const char *value = sign + (appends ? strlen("+=") : strlen("="));
	const GPtrArray *array = hvr_shell_array_of(line, word);
	GPtrArray *texts;

	if (array) {
		texts = expand_words(shell, array, 0, condition_of(shell));
	} else {
		const HvrShellMark mark = { .line = word->line, .condition = condition_of(shell) };
		texts = hvr_shell_texts_new();
		hvr_shell_expand(&shell->variables, value, mark, FALSE, texts);
		if (texts->len == 0)
			hvr_shell_expand(&shell->variables, "''", mark, FALSE, texts);
	}
	HvrImportCommand *command = add_command(shell, line, name, texts);
	command->array = array != NULL;
	command->appends = appends;
	set(shell, command, texts);
}

/* Behind `local`, `export` and their like, whose own words begin with a dash. */
static guint skip_declaration(const GPtrArray *words, guint from)
{
	static const char *const declarations[] = { "export",  "local",	   "declare",
						    "typeset", "readonly", NULL };
	const HvrImportWord *word = g_ptr_array_index(words, from);

	if (!g_strv_contains(declarations, word->text))
		return from;
	for (from++; from < words->len; from++) {
		word = g_ptr_array_index(words, from);
		if (*word->text != '-')
			break;
	}
	return from;
}

/* FALSE: there is something else in it, or in front of it: a variable for one command */
static gboolean read_assignments(HvrImportShell *shell, const HvrShellLine *line, guint from)
{
	guint first = skip_declaration(line->words, from);

	for (guint i = first; i < line->words->len; i++) {
		const HvrImportWord *word = g_ptr_array_index(line->words, i);
		if (!hvr_shell_find_sign(word->text) && first == from)
			return FALSE;
	}
	hvr_shell_keep_outside(shell, line->words, from, first);
	for (guint i = first; i < line->words->len; i++)
		read_assignment(shell, line, g_ptr_array_index(line->words, i));
	return TRUE;
}

/* ------------------------------------------------------------------------------ commands */

/* `read A B`, `for A`: what they put there comes from elsewhere. */
static void forget_named(HvrImportShell *shell, const HvrImportCommand *command)
{
	static const char *const setters[] = { "read",	  "unset",     "for",
					       "select",  "mapfile",   "printf",
					       "getopts", "readarray", NULL };
	const HvrImportWord *first = g_ptr_array_index(command->words, 0);

	if (!g_strv_contains(setters, first->text))
		return;
	for (guint i = 1; i < command->words->len; i++) {
		const HvrImportWord *word = g_ptr_array_index(command->words, i);
		hvr_shell_forget(&shell->variables, word->text);
	}
}

/* `A=1 NAME` with a function's name: A is so while its body is read. FALSE: it is none */
static gboolean call_with(HvrImportShell *shell, const HvrShellLine *line, guint from)
{
	guint locals = shell->locals->len;
	const HvrImportWord *word = NULL;
	guint name;

	for (name = from; name < line->words->len; name++) {
		word = g_ptr_array_index(line->words, name);
		if (!hvr_shell_find_sign(word->text))
			break;
	}
	if (name == from || name == line->words->len ||
	    !g_hash_table_contains(shell->functions, word->text))
		return FALSE;
	g_autoptr(GPtrArray) texts = expand_words(shell, line->words, name, 0);
	for (guint i = from; i < name; i++) {
		word = g_ptr_array_index(line->words, i);
		hvr_shell_keep(shell, word->text);
		read_assignment(shell, line, word);
	}
	gboolean called = hvr_shell_call(shell, line, texts);
	hvr_shell_bring_back(shell, locals);
	return called;
}

static void read_command(HvrImportShell *shell, const HvrShellLine *line, guint from)
{
	g_autoptr(GPtrArray) texts = expand_words(shell, line->words, from, 0);

	if (texts->len == 0 && !line->redirected)
		return;
	if (call_with(shell, line, from) || hvr_shell_call(shell, line, texts))
		return;
	const HvrImportCommand *command = add_command(shell, line, NULL, texts);
	const HvrImportWord *first = texts->len ? command->words->pdata[0] : NULL;
	const HvrImportWord *second = texts->len > 1 ? command->words->pdata[1] : NULL;
	if (!first)
		return;
	forget_named(shell, command);
	if (second && g_str_equal(first->text, "set") && g_str_equal(second->text, "--")) {
		g_ptr_array_remove_range(texts, 0, 2);
		hvr_shell_set(&shell->variables, "@", g_ptr_array_ref(texts));
	}
}

/* Reserved words in front of a command; a condition begins or ends with some. Returns: the first
 * word behind them */
static guint follow_words(HvrImportShell *shell, const HvrShellLine *line)
{
	static const char *const begins[] = {
		"if", "while", "until", "case", "for", "select", NULL
	};
	static const char *const ends[] = { "fi", "done", "esac", NULL };
	static const char *const others[] = { "then", "else", "elif", "do", "{",
					      "}",    "!",    "time", NULL };
	guint i;

	for (i = 0; i < line->words->len; i++) {
		const HvrImportWord *word = g_ptr_array_index(line->words, i);
		gboolean pattern = g_str_equal(word->text, "case");
		if (g_strv_contains(begins, word->text)) {
			g_array_append_val(shell->conditions, word->line);
			shell->patterns += pattern;
		} else if (g_strv_contains(ends, word->text) && shell->conditions->len) {
			g_array_set_size(shell->conditions, shell->conditions->len - 1);
			shell->patterns -= g_str_equal(word->text, "esac") && shell->patterns;
		} else if (!g_strv_contains(others, word->text)) {
			return i;
		}
		if (pattern || g_str_equal(word->text, "for") || g_str_equal(word->text, "select"))
			return i;
	}
	return i;
}

void hvr_shell_read_line(HvrImportShell *shell, const HvrShellLine *line)
{
	guint from = follow_words(shell, line);
	gboolean pattern = shell->patterns && line->end == HVR_SHELL_PATTERN;

	if (from < line->words->len && !pattern && !read_assignments(shell, line, from))
		read_command(shell, line, from);
	shell->depends = line->end == HVR_SHELL_IF ? line->line : 0;
}

HvrImportShell *hvr_import_shell_read(HvrImport *import, const char *text)
{
	HvrImportShell *shell = g_new0(HvrImportShell, 1);

	shell->import = import;
	shell->lines = hvr_shell_lines(import, text);
	hvr_shell_calls_init(shell);
	hvr_shell_variables_init(&shell->variables);
	shell->commands = g_ptr_array_new_with_free_func(command_free);
	shell->conditions = g_array_new(FALSE, FALSE, sizeof(guint));
	hvr_shell_read_lines(shell, 0, shell->lines->len);
	shell->depends = 0;
	g_array_set_size(shell->conditions, 0);
	shell->patterns = 0;
	hvr_shell_read_uncalled(shell);
	return shell;
}

void hvr_import_shell_free(HvrImportShell *shell)
{
	if (!shell)
		return;
	hvr_shell_variables_clear(&shell->variables);
	g_ptr_array_unref(shell->commands);
	g_array_unref(shell->conditions);
	hvr_shell_calls_clear(shell);
	g_ptr_array_unref(shell->lines);
	g_free(shell);
}

const GPtrArray *hvr_import_shell_commands(const HvrImportShell *shell)
{
	return shell->commands;
}

GPtrArray *hvr_import_shell_value(HvrImportShell *shell, const char *name, gboolean array)
{
	const char *quote = array ? "\"" : "";
	g_autoptr(GPtrArray) texts = hvr_shell_texts_new();
	g_autofree char *all = g_strconcat(quote, "${", name, "[@]}", quote, NULL);
	GPtrArray *words = hvr_import_words_new();

	hvr_shell_expand(&shell->variables, all, (HvrShellMark){ .line = 0 }, TRUE, texts);
	hvr_shell_to_words(texts, (HvrShellMark){ .line = 0 }, words);
	return words;
}
