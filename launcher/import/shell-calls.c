/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of a script: a body is read where it is called, with what the variables are there,
 * at each call, and behind all else where no call is seen.
 */
#include <string.h>

#include "launcher/import/shell-state.h"

/* Of functions that call functions */
#define MOST_CALLS 16
/* Of all bodies together, as often as they are called */
#define MOST_CALLED_BYTES ((gsize)1 << 20)

static void local_free(gpointer data)
{
	HvrShellLocal *local = data;

	g_free(local->name);
	g_clear_pointer(&local->outside, g_ptr_array_unref);
	g_free(local);
}

void hvr_shell_calls_init(HvrImportShell *shell)
{
	shell->functions = g_hash_table_new(g_str_hash, g_str_equal);
	shell->called = g_hash_table_new(NULL, NULL);
	shell->open = g_array_new(FALSE, FALSE, sizeof(guint));
	shell->changed = g_ptr_array_new_with_free_func(g_free);
	shell->locals = g_ptr_array_new_with_free_func(local_free);
	shell->left = MOST_CALLED_BYTES;
}

void hvr_shell_calls_clear(HvrImportShell *shell)
{
	g_hash_table_unref(shell->functions);
	g_hash_table_unref(shell->called);
	g_array_unref(shell->open);
	g_ptr_array_unref(shell->changed);
	g_ptr_array_unref(shell->locals);
}

void hvr_shell_keep(HvrImportShell *shell, const char *word)
{
	HvrShellLocal *local = g_new0(HvrShellLocal, 1);
	const char *sign = hvr_shell_find_sign(word);

	local->name = g_strndup(word, hvr_import_name_length(word));
	local->outside = g_hash_table_lookup(shell->variables.values, local->name);
	if (local->outside)
		g_ptr_array_ref(local->outside);
	g_ptr_array_add(shell->locals, local);
	if (!sign || *sign == '+')
		hvr_shell_forget(&shell->variables, local->name);
}

void hvr_shell_keep_outside(HvrImportShell *shell, const GPtrArray *words, guint from, guint first)
{
	static const char *const own[] = { "local", "declare", "typeset", NULL };
	const HvrImportWord *word = g_ptr_array_index(words, from);

	if (!shell->open->len || !g_strv_contains(own, word->text))
		return;
	word = g_ptr_array_index(words, first - 1);
	if (*word->text == '-' && strchr(word->text, 'g'))
		return;
	for (guint i = first; i < words->len; i++) {
		word = g_ptr_array_index(words, i);
		hvr_shell_keep(shell, word->text);
	}
}

/* The last first: a name may be there twice. */
void hvr_shell_bring_back(HvrImportShell *shell, guint from)
{
	while (shell->locals->len > from) {
		HvrShellLocal *local = g_ptr_array_index(shell->locals, shell->locals->len - 1);

		if (local->outside)
			hvr_shell_set(&shell->variables, local->name,
				      g_steal_pointer(&local->outside));
		else
			hvr_shell_forget(&shell->variables, local->name);
		g_ptr_array_set_size(shell->locals, (int)shell->locals->len - 1);
	}
}

void hvr_shell_read_lines(HvrImportShell *shell, guint from, guint end)
{
	for (guint i = from; i < end; i++) {
		HvrShellLine *line = g_ptr_array_index(shell->lines, i);

		if (line->body_end) {
			g_hash_table_replace(shell->functions, line->function,
					     GUINT_TO_POINTER(i + 1));
			i = line->body_end - 1;
			shell->depends = 0;
		} else {
			hvr_shell_read_line(shell, line);
		}
	}
}

/* What it has set where a condition may have called it is, for what follows, as if the condition
 * were around it: from @first on. */
static void leave_changed(HvrImportShell *shell, guint first)
{
	for (guint i = first; i < shell->changed->len; i++) {
		const char *name = g_ptr_array_index(shell->changed, i);
		const GPtrArray *texts = g_hash_table_lookup(shell->variables.values, name);
		if (texts && (!texts->len || !hvr_shell_is_options(texts)))
			hvr_shell_forget(&shell->variables, name);
	}
}

/* @begin: index of its line. @own: condition of its call; 0: none */
static void read_body(HvrImportShell *shell, guint begin, guint own)
{
	const HvrShellLine *line = g_ptr_array_index(shell->lines, begin);
	const HvrImportShell before = *shell;
	guint changed = shell->changed->len;
	guint locals = shell->locals->len;

	shell->outer = own ? own : shell->outer;
	shell->conditions = g_array_new(FALSE, FALSE, sizeof(guint));
	shell->patterns = 0;
	shell->depends = 0;
	g_hash_table_add(shell->called, GUINT_TO_POINTER(begin + 1));
	g_array_append_val(shell->open, begin);
	hvr_shell_read_line(shell, line);
	hvr_shell_read_lines(shell, begin + 1, line->body_end);
	g_array_set_size(shell->open, shell->open->len - 1);
	g_array_unref(shell->conditions);
	shell->conditions = before.conditions;
	shell->patterns = before.patterns;
	shell->depends = before.depends;
	shell->outer = before.outer;
	if (own)
		leave_changed(shell, changed);
	hvr_shell_bring_back(shell, locals);
	if (!shell->open->len)
		g_ptr_array_set_size(shell->changed, 0);
}

/* FALSE: it is one too many, which a note tells of */
static gboolean spend_call(HvrImportShell *shell, guint begin, const HvrShellLine *call,
			   const char *name)
{
	const HvrShellLine *line = g_ptr_array_index(shell->lines, begin);
	const HvrShellLine *last = g_ptr_array_index(shell->lines, line->body_end - 1);
	const HvrShellLine *before = begin ? shell->lines->pdata[begin - 1] : NULL;
	gsize bytes = last->behind - (before ? before->behind : 0) + 16;

	if (shell->open->len < MOST_CALLS && bytes <= shell->left) {
		shell->left -= bytes;
		return TRUE;
	}
	shell->left = 0;
	hvr_import_note(shell->import, call->line, name,
			"functions are called too often: this call is not read", FALSE);
	return FALSE;
}

static gboolean is_open(const HvrImportShell *shell, guint begin)
{
	for (guint i = 0; i < shell->open->len; i++)
		if (g_array_index(shell->open, guint, i) == begin)
			return TRUE;
	return FALSE;
}

gboolean hvr_shell_call(HvrImportShell *shell, const HvrShellLine *call, GPtrArray *texts)
{
	const HvrShellText *first = texts->len ? g_ptr_array_index(texts, 0) : NULL;
	const char *name = first ? first->bytes->str : "";
	guint found = GPOINTER_TO_UINT(g_hash_table_lookup(shell->functions, name));
	GPtrArray *old = g_hash_table_lookup(shell->variables.values, "@");

	if (!found || is_open(shell, found - 1) || !spend_call(shell, found - 1, call, name))
		return FALSE;
	if (old)
		g_ptr_array_ref(old);
	g_ptr_array_remove_index(texts, 0);
	hvr_shell_set(&shell->variables, "@", g_ptr_array_ref(texts));
	read_body(shell, found - 1, hvr_shell_own_condition(shell));
	hvr_shell_forget(&shell->variables, "@");
	if (old)
		hvr_shell_set(&shell->variables, "@", old);
	return TRUE;
}

void hvr_shell_read_uncalled(HvrImportShell *shell)
{
	/* whoever calls them is not seen, and with what neither */
	hvr_shell_forget(&shell->variables, "@");
	for (guint i = 0; i < shell->lines->len; i++) {
		const HvrShellLine *line = g_ptr_array_index(shell->lines, i);

		if (line->body_end &&
		    !g_hash_table_contains(shell->called, GUINT_TO_POINTER(i + 1)))
			read_body(shell, i, 0);
	}
}
