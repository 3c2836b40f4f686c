/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/import/words.h"

#include <string.h>

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

HvrImportWord *hvr_import_words_add(GPtrArray *words, guint line, const char *text)
{
	HvrImportWord *word = g_new0(HvrImportWord, 1);

	word->line = line;
	word->text = g_strdup(text);
	g_ptr_array_add(words, word);
	return word;
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
