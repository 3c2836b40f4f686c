/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A word as a shell makes it of what is written: quotes go, variables that the script has set come
 * (POSIX.1, Shell Command Language, "Word Expansions"; bash for arrays). Whatever else begins with
 * a `$`, or stands in backticks, is kept as it is written behind an HVR_IMPORT_UNKNOWN.
 */
#include "launcher/import/shell-expand.h"

#include <string.h>

#include "launcher/import/shell-lines.h"
#include "launcher/import/source.h"

/* Of all expansions of one script */
#define MOST_BYTES ((gsize)4 << 20)
#define MOST_DEPTH 16

typedef struct {
	HvrShellVariables *variables;
	GPtrArray *texts;
	HvrShellText *text; /* the one that goes on; NULL: the next byte begins one */
	HvrShellMark mark;
	gboolean split, quoted;
	gboolean none; /* a "${A[@]}" of no words was among these quotes */
	guint depth;
} Expansion;

static void text_free(gpointer data)
{
	HvrShellText *text = data;

	g_string_free(text->bytes, TRUE);
	g_array_unref(text->marks);
	g_free(text);
}

static HvrShellText *text_new(void)
{
	HvrShellText *text = g_new0(HvrShellText, 1);

	text->bytes = g_string_new(NULL);
	text->marks = g_array_new(FALSE, FALSE, sizeof(HvrShellMark));
	return text;
}

static void text_add(HvrShellText *text, char byte, HvrShellMark mark)
{
	g_string_append_c(text->bytes, byte);
	g_array_append_val(text->marks, mark);
}

GPtrArray *hvr_shell_texts_new(void)
{
	return g_ptr_array_new_with_free_func(text_free);
}

void hvr_shell_variables_init(HvrShellVariables *variables)
{
	variables->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						  (GDestroyNotify)g_ptr_array_unref);
	variables->left = MOST_BYTES;
}

void hvr_shell_variables_clear(HvrShellVariables *variables)
{
	g_hash_table_unref(variables->values);
}

void hvr_shell_set(HvrShellVariables *variables, const char *name, GPtrArray *texts)
{
	g_hash_table_replace(variables->values, g_strdup(name), texts);
}

void hvr_shell_append(HvrShellVariables *variables, const char *name, const GPtrArray *texts)
{
	GPtrArray *all = g_hash_table_lookup(variables->values, name);

	if (!all) {
		all = hvr_shell_texts_new();
		hvr_shell_set(variables, name, all);
	}
	for (guint i = 0; i < texts->len; i++) {
		const HvrShellText *from = g_ptr_array_index(texts, i);
		HvrShellText *text = text_new();

		g_string_append_len(text->bytes, from->bytes->str, (gssize)from->bytes->len);
		g_array_append_vals(text->marks, from->marks->data, from->marks->len);
		g_ptr_array_add(all, text);
	}
}

void hvr_shell_forget(HvrShellVariables *variables, const char *name)
{
	g_hash_table_remove(variables->values, name);
}

/* -------------------------------------------------------------------------- byte by byte */

static void begin_text(Expansion *e)
{
	if (e->text)
		return;
	e->text = text_new();
	g_ptr_array_add(e->texts, e->text);
}

static void put(Expansion *e, char byte, HvrShellMark mark)
{
	begin_text(e);
	text_add(e->text, byte, mark);
}

static void put_literal(Expansion *e, char byte)
{
	put(e, byte, e->mark);
	e->mark.line += byte == '\n';
}

/* @begin: at its `$` or backtick. Of a command its first word will do; no blank and no comma is in
 * it, at which others would cut. */
static void put_unknown(Expansion *e, const char *begin, const char *end)
{
	gsize length = (gsize)(end - begin);
	gsize shown = 1 + strcspn(begin + 1, " \t\n,\"'`");

	put(e, HVR_IMPORT_UNKNOWN, e->mark);
	if (*begin == '`')
		put(e, '(', e->mark);
	for (const char *c = begin + 1; c < begin + MIN(length, shown); c++)
		put(e, *c, e->mark);
	for (const char *c = "..."; shown < length && *c; c++)
		put(e, *c, e->mark);
	for (const char *c = begin; c < end; c++)
		e->mark.line += *c == '\n';
}

static void put_value(Expansion *e, const HvrShellText *value)
{
	gboolean split = e->split && !e->quoted;

	for (guint i = 0; i < value->bytes->len; i++) {
		char byte = value->bytes->str[i];
		if (split && g_ascii_isspace(byte))
			e->text = NULL;
		else
			put(e, byte, g_array_index(value->marks, HvrShellMark, i));
	}
}

/* "${A[@]}": each is a word of its own, and there may be none. */
static void put_all(Expansion *e, const GPtrArray *values)
{
	e->none = e->none || !values->len;
	for (guint i = 0; i < values->len; i++) {
		const HvrShellText *value = g_ptr_array_index(values, i);
		if (i)
			e->text = NULL;
		if (e->quoted)
			begin_text(e);
		put_value(e, value);
	}
}

static void expand(Expansion *e, const char *c, const char *end);

/* What ${NAME:-TEXT} is while nobody has set NAME, and ${NAME:+TEXT} where it is @known. */
static void put_text(Expansion *e, const char *text, const char *end, gboolean known)
{
	Expansion inner = *e;

	inner.split = e->split && !e->quoted;
	inner.quoted = FALSE;
	inner.depth++;
	if (!known)
		inner.mark.condition = e->mark.line;
	expand(&inner, text, end);
	e->text = inner.text;
	e->none = inner.none;
	e->mark.line = inner.mark.line;
}

/* FALSE: all expansions together are too large with these */
static gboolean spend(HvrShellVariables *variables, const GPtrArray *values)
{
	gsize size = 0;

	for (guint i = 0; i < values->len; i++)
		size += ((const HvrShellText *)values->pdata[i])->bytes->len + 16;
	if (size > variables->left) {
		variables->left = 0;
		return FALSE;
	}
	variables->left -= size;
	return TRUE;
}

/* Returns: FALSE: it has none */
static gboolean put_variable(Expansion *e, const char *name, gboolean all)
{
	const GPtrArray *values = g_hash_table_lookup(e->variables->values, name);

	if (!values || !spend(e->variables, values))
		return FALSE;
	if (all)
		put_all(e, values);
	else if (values->len)
		put_value(e, g_ptr_array_index(values, 0));
	return TRUE;
}

/* ${NAME:=TEXT} has it set from there on. */
static void put_assigned(Expansion *e, const char *name, const char *text, const char *end)
{
	GPtrArray *texts = hvr_shell_texts_new();
	Expansion value = { .variables = e->variables, .texts = texts, .mark = e->mark };

	value.depth = e->depth;
	put_text(&value, text, end, FALSE);
	if (texts->len == 0)
		begin_text(&value);
	hvr_shell_set(e->variables, name, texts);
	(void)put_variable(e, name, FALSE);
}

static gboolean is_set(const Expansion *e, const char *name)
{
	const GPtrArray *values = g_hash_table_lookup(e->variables->values, name);
	const HvrShellText *first = values && values->len ? values->pdata[0] : NULL;

	return first && first->bytes->len;
}

/* Inside of ${ }. FALSE: it is none of those that are understood */
static gboolean put_braced(Expansion *e, const char *begin, const char *end)
{
	gboolean at = *begin == '@' || *begin == '*';
	gsize length = at ? 1 : hvr_import_name_length(begin);
	g_autofree char *name = g_strndup(begin, length);
	g_autofree char *rest = g_strndup(begin + length, (gsize)(end - begin) - length);
	gboolean all = at || g_str_equal(rest, "[@]") || g_str_equal(rest, "[*]");
	gsize sign = rest[0] == ':' ? 1 : 0;
	gboolean has_default = rest[sign] == '-' || rest[sign] == '=';

	if (rest[sign] == '+' && e->depth < MOST_DEPTH && is_set(e, name)) {
		put_text(e, begin + length + sign + 1, end, TRUE);
		return TRUE;
	}
	if (!length || (!all && *rest && !has_default))
		return FALSE;
	if (put_variable(e, name, all))
		return TRUE;
	if (!has_default || e->depth >= MOST_DEPTH || g_ascii_isdigit(*name))
		return FALSE;
	if (rest[sign] == '=')
		put_assigned(e, name, begin + length + sign + 1, end);
	else
		put_text(e, begin + length + sign + 1, end, FALSE);
	return TRUE;
}

/* At a `$`. @end: of its brackets, where it has some. Returns: what is behind it */
static const char *expand_dollar(Expansion *e, const char *c, const char *end)
{
	gsize length = hvr_import_name_length(c + 1);
	gboolean special = c[1] && strchr("@*#?$!-", c[1]);

	if (c[1] == '{' || c[1] == '(') {
		gboolean whole = c[1] == '{' && end - c > 3 && end[-1] == '}';
		if (!whole || !put_braced(e, c + 2, end - 1))
			put_unknown(e, c, end);
		return end;
	}
	if (!e->quoted && (c[1] == '\'' || c[1] == '"'))
		return c + 1;
	if (special || g_ascii_isdigit(c[1]))
		length = 1;
	if (!length) {
		put_literal(e, '$');
		return c + 1;
	}
	g_autofree char *name = g_strndup(c + 1, length);
	if (!put_variable(e, name, c[1] == '@' || c[1] == '*'))
		put_unknown(e, c, c + 1 + length);
	return c + 1 + length;
}

/* People write `# a comment` where a line goes on: a command that puts nothing in its place. */
static void expand_ticks(Expansion *e, const char *c, const char *end)
{
	if (c[1 + strspn(c + 1, " \t")] != '#')
		put_unknown(e, c, end);
}

static const char *expand_backslash(Expansion *e, const char *c, const char *end)
{
	gboolean plain = e->quoted && c + 1 < end && !strchr("$`\"\\\n", c[1]);

	if (c + 1 == end)
		return end;
	if (plain)
		put_literal(e, '\\');
	if (c[1] == '\n')
		e->mark.line++;
	else
		put_literal(e, c[1]);
	return c + 2;
}

/* Quotes are a word even where nothing is in them; "${A[@]}" of an empty array is none. */
static void drop_none(Expansion *e)
{
	if (!e->none || !e->text || e->text->bytes->len)
		return;
	g_ptr_array_set_size(e->texts, (int)e->texts->len - 1);
	e->text = NULL;
}

/* At a quote. */
static void expand_quoted(Expansion *e, const char *c, const char *end)
{
	gboolean outer = e->quoted;
	gboolean begins = !e->text;

	begin_text(e);
	if (*c == '\'') {
		for (c++; c + 1 < end; c++)
			put_literal(e, *c);
		return;
	}
	e->quoted = TRUE;
	e->none = FALSE;
	expand(e, c + 1, end - 1);
	e->quoted = outer;
	if (begins)
		drop_none(e);
}

static const char *behind(const char *c, const char *end)
{
	const char *next = hvr_shell_skip(c, 0);

	return MIN(next, end);
}

static void expand(Expansion *e, const char *c, const char *end)
{
	while (c < end) {
		const char *next = c + 1;

		if (!e->quoted && (*c == '\'' || *c == '"')) {
			next = behind(c, end);
			expand_quoted(e, c, next);
		} else if (*c == '`') {
			next = behind(c, end);
			expand_ticks(e, c, next);
		} else if (*c == '$') {
			next = behind(c, end);
			next = expand_dollar(e, c, next);
		} else if (*c == '\\') {
			next = expand_backslash(e, c, end);
		} else if (e->depth && e->split && !e->quoted && g_ascii_isspace(*c)) {
			e->text = NULL;
		} else {
			put_literal(e, *c);
		}
		c = next;
	}
}

void hvr_shell_expand(HvrShellVariables *variables, const char *word, HvrShellMark mark,
		      gboolean split, GPtrArray *texts)
{
	Expansion e = { .variables = variables, .texts = texts, .mark = mark, .split = split };

	expand(&e, word, word + strlen(word));
}

void hvr_shell_to_words(const GPtrArray *texts, HvrShellMark mark, GPtrArray *words)
{
	for (guint i = 0; i < texts->len; i++) {
		const HvrShellText *text = g_ptr_array_index(texts, i);
		HvrShellMark first = mark;

		if (text->marks->len)
			first = g_array_index(text->marks, HvrShellMark, 0);
		HvrImportWord *word = hvr_import_words_add(words, first.line, text->bytes->str);
		for (guint k = 0; k < text->marks->len && !word->condition; k++)
			word->condition = g_array_index(text->marks, HvrShellMark, k).condition;
	}
}
