/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a script's text to lines of words, as a shell cuts it (POSIX.1, Shell Command Language,
 * "Token Recognition"), without a look at what they mean. Each byte is looked at once, whatever
 * quotes are missing.
 */
#include "launcher/import/shell-lines.h"

#include <string.h>

/* Of expansions in expansions: deeper ones are plain text */
#define MOST_DEPTH 32

typedef struct {
	HvrImport *import;
	const char *text, *c;
	guint number;	    /* of the line that @c is in */
	HvrShellLine *line; /* the one that goes on */
	GPtrArray *lines;
	char *function;	  /* whose body begins with the next line; NULL: none does */
	GPtrArray *array; /* the one that @c is in; NULL: it is in none */
	char *here;	  /* a here-document's last line; NULL: none is awaited */
} Reader;

static void line_free(gpointer data)
{
	HvrShellLine *line = data;

	g_ptr_array_unref(line->words);
	g_clear_pointer(&line->arrays, g_hash_table_unref);
	g_free(line->function);
	g_free(line);
}

const GPtrArray *hvr_shell_array_of(const HvrShellLine *line, const HvrImportWord *word)
{
	return line->arrays ? g_hash_table_lookup(line->arrays, word) : NULL;
}

static const char *skip_until(const char *c, char end, guint depth)
{
	guint open = 0;

	while (*c && (*c != end || open)) {
		gboolean plain = depth >= MOST_DEPTH || (end == '"' && *c == '\'');
		if (end == ')')
			open += (*c == '(') - (*c == ')');
		c = plain ? c + 1 : hvr_shell_skip(c, depth + 1);
	}
	return *c ? c + 1 : c;
}

const char *hvr_shell_skip(const char *c, guint depth)
{
	const char *end;

	switch (*c) {
	case '\\':
		return c + (c[1] ? 2 : 1);
	case '\'':
		end = strchr(c + 1, '\'');
		return end ? end + 1 : c + strlen(c);
	case '"':
	case '`':
		return skip_until(c + 1, *c, depth);
	case '$':
		if (c[1] == '(')
			return skip_until(c + 2, ')', depth);
		if (c[1] == '{')
			return skip_until(c + 2, '}', depth);
		return c + 1;
	default:
		return c + 1;
	}
}

static gboolean is_closed(const char *begin, const char *end)
{
	char last = end[-1];

	switch (*begin) {
	case '\'':
	case '"':
	case '`':
		return end - begin > 1 && last == *begin;
	case '$':
		return (begin[1] != '(' || last == ')') && (begin[1] != '{' || last == '}');
	default:
		return TRUE;
	}
}

/* The word at @c, as it is written; a backslash at a line's end is gone. [transfer full] */
static char *take_word(Reader *reader)
{
	g_autoptr(GString) word = g_string_new(NULL);
	guint line = reader->number;

	while (*reader->c && !strchr(" \t\n;&|<>()", *reader->c)) {
		const char *begin = reader->c;

		reader->c = hvr_shell_skip(begin, 0);
		if (!is_closed(begin, reader->c))
			hvr_import_note(reader->import, line, begin,
					"what begins there does not end", FALSE);
		for (const char *c = begin; c < reader->c; c++)
			reader->number += *c == '\n';
		if (!g_str_has_prefix(begin, "\\\n"))
			g_string_append_len(word, begin, reader->c - begin);
	}
	return g_strdup(word->str);
}

static HvrShellLine *the_line(Reader *reader)
{
	if (!reader->line) {
		reader->line = g_new0(HvrShellLine, 1);
		reader->line->line = reader->number;
		reader->line->words = hvr_import_words_new();
		reader->line->function = g_steal_pointer(&reader->function);
	}
	return reader->line;
}

static void end_line(Reader *reader, HvrShellEnd end)
{
	if (!reader->line)
		return;
	reader->line->end = end;
	reader->line->behind = (gsize)(reader->c - reader->text);
	g_ptr_array_add(reader->lines, reader->line);
	reader->line = NULL;
	reader->array = NULL;
}

/* A here-document, of which nobody wants the text. */
static void skip_here(Reader *reader)
{
	while (reader->here && *reader->c) {
		gsize length = strcspn(reader->c, "\n");
		g_autofree char *line = g_strndup(reader->c, length);

		reader->c += length + (reader->c[length] == '\n');
		reader->number++;
		if (g_str_equal(g_strchug(line), reader->here))
			break;
	}
	g_clear_pointer(&reader->here, g_free);
}

static void skip_blanks(Reader *reader)
{
	for (;;) {
		reader->c += strspn(reader->c, " \t");
		if (!g_str_has_prefix(reader->c, "\\\n"))
			return;
		reader->c += 2;
		reader->number++;
	}
}

/* `> FILE`, `2>&1`, `<<END` */
static void read_redirection(Reader *reader)
{
	gboolean here = g_str_has_prefix(reader->c, "<<") && reader->c[2] != '<';
	HvrShellLine *line = the_line(reader);

	guint number = reader->number;

	reader->c += strspn(reader->c, "<>&|");
	reader->c += here && *reader->c == '-';
	skip_blanks(reader);
	if (*reader->c == '(') /* <(COMMAND) */
		reader->c = skip_until(reader->c + 1, ')', 0);
	g_autofree char *target = take_word(reader);
	if (strspn(target, "0123456789-") != strlen(target) && !g_str_has_prefix(target, "/dev/n"))
		line->redirected = number;
	if (!here)
		return;
	g_free(reader->here);
	reader->here = g_strdup(g_strdelimit(target, "'\"\\", ' '));
	g_strstrip(reader->here);
}

/* "NAME=(" and "NAME+=(", in front of that bracket */
static gboolean begins_array(const char *word)
{
	const char *rest = word + hvr_import_name_length(word);

	return rest > word && (g_str_equal(rest, "=") || g_str_equal(rest, "+="));
}

/* @word: the line's last, "NAME=" */
static void begin_array(Reader *reader, HvrImportWord *word)
{
	HvrShellLine *line = reader->line;

	if (!line->arrays)
		line->arrays =
			g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	reader->array = hvr_import_words_new();
	g_hash_table_insert(line->arrays, word, reader->array);
}

/* The line up to here names it: what comes next is its body. */
static void begin_function(Reader *reader, const char *name)
{
	g_free(reader->function);
	reader->function = g_strdup(name);
	line_free(reader->line);
	reader->line = NULL;
	reader->array = NULL;
}

/* A bracket around an array's words, a function's, a subshell's, or behind a pattern. */
static void read_bracket(Reader *reader)
{
	const GPtrArray *words = reader->line ? reader->line->words : NULL;
	HvrImportWord *last = words && words->len ? words->pdata[words->len - 1] : NULL;
	char bracket = *reader->c++;

	if (bracket == '(' && last && begins_array(last->text) && !reader->array) {
		begin_array(reader, last);
	} else if (bracket == ')' && reader->array) {
		reader->array = NULL;
	} else if (bracket == '(' && *reader->c == ')' && last) { /* NAME() */
		reader->c++;
		begin_function(reader, last->text);
	} else if (bracket == '(' && *reader->c == '(') { /* ((A = 1)) */
		const char *begin = reader->c;
		reader->c = skip_until(begin, ')', 0);
		for (const char *c = begin; c < reader->c; c++)
			reader->number += *c == '\n';
	} else {
		end_line(reader, bracket == ')' ? HVR_SHELL_PATTERN : HVR_SHELL_END);
	}
}

static void read_operator(Reader *reader)
{
	gboolean depends = g_str_has_prefix(reader->c, "&&") || g_str_has_prefix(reader->c, "||");
	gboolean output = g_str_has_prefix(reader->c, "&>");

	if (*reader->c == '<' || *reader->c == '>' || output) {
		read_redirection(reader);
	} else if (*reader->c == '(' || *reader->c == ')') {
		read_bracket(reader);
	} else {
		end_line(reader, depends ? HVR_SHELL_IF : HVR_SHELL_END);
		reader->c += strspn(reader->c, ";&|");
	}
}

static void read_word(Reader *reader)
{
	guint number = reader->number;
	HvrShellLine *line = the_line(reader);
	g_autofree char *word = take_word(reader);
	gboolean descriptor = strspn(word, "0123456789") == strlen(word) &&
			      (*reader->c == '<' || *reader->c == '>');

	if (!descriptor)
		hvr_import_words_add(reader->array ? reader->array : line->words, number, word);
	const HvrImportWord *first = line->words->len == 2 ? line->words->pdata[0] : NULL;
	if (first && g_str_equal(first->text, "function") && !descriptor)
		begin_function(reader, word);
}

static void read_next(Reader *reader)
{
	skip_blanks(reader);
	if (*reader->c == '#') {
		reader->c += strcspn(reader->c, "\n");
	} else if (*reader->c == '\n') {
		reader->c++;
		reader->number++;
		if (!reader->array)
			end_line(reader, HVR_SHELL_END);
		skip_here(reader);
	} else if (*reader->c && strchr(";&|<>()", *reader->c)) {
		read_operator(reader);
	} else if (*reader->c) {
		read_word(reader);
	}
}

/* May a `{` or `}` behind it be a bracket? */
static gboolean is_leading(const char *word)
{
	static const char *const leading[] = { "{",    "}",    "if", "then",  "elif",
					       "else", "fi",   "do", "while", "until",
					       "done", "esac", "!",  "time",  NULL };

	return g_strv_contains(leading, word);
}

/* @open: (inout): one for each bracket that is open: of a function's, the index of its line, with
 * one added; 0 of others */
static void match_brackets(const GPtrArray *lines, guint i, GArray *open)
{
	HvrShellLine *line = lines->pdata[i];

	for (guint k = 0; k < line->words->len; k++) {
		const HvrImportWord *word = g_ptr_array_index(line->words, k);
		guint begin = k || !line->function ? 0 : i + 1;
		if (!is_leading(word->text))
			return;
		if (*word->text == '{') {
			g_array_append_val(open, begin);
		} else if (*word->text == '}' && open->len) {
			begin = g_array_index(open, guint, open->len - 1);
			g_array_set_size(open, open->len - 1);
			if (begin)
				((HvrShellLine *)lines->pdata[begin - 1])->body_end = i + 1;
		}
	}
}

static void find_bodies(const GPtrArray *lines)
{
	g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < lines->len; i++)
		match_brackets(lines, i, open);
}

GPtrArray *hvr_shell_lines(HvrImport *import, const char *text)
{
	Reader reader = { .import = import,
			  .text = text,
			  .c = text,
			  .number = 1,
			  .lines = g_ptr_array_new_with_free_func(line_free) };

	while (*reader.c && !hvr_import_is_full(import))
		read_next(&reader);
	end_line(&reader, HVR_SHELL_END);
	g_free(reader.here);
	g_free(reader.function);
	find_bodies(reader.lines);
	return reader.lines;
}
