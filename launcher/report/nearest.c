/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typing mistakes as an edit distance: optimal string alignment, that is Levenshtein's distance
 * and the swap of two neighbours, which is what fingers do most. No word or name is longer than
 * a file's, so three rows on the stack are all it needs and a hostile word costs nothing.
 */
#include "launcher/report/nearest.h"

#include <string.h>

#include "launcher/report/error.h"
#include "launcher/report/text.h"

/* NAME_MAX */
#define LONGEST 255

static guint distance(const char *a, gsize a_length, const char *b, gsize b_length)
{
	guint rows[3][LONGEST + 1];
	guint *before = rows[0], *above = rows[1], *row = rows[2];

	for (gsize j = 0; j <= b_length; j++)
		above[j] = j;
	for (gsize i = 1; i <= a_length; i++) {
		guint *spare = before;

		row[0] = i;
		for (gsize j = 1; j <= b_length; j++) {
			row[j] = above[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = MIN(row[j], MIN(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[b_length];
}

/* "--dry" for "--dry-run": what was not written to its end. */
static const char *only_beginning(const char *word, const char *const *names)
{
	const char *only = NULL;

	for (gsize i = 0; strlen(word) > 1 && names[i]; i++) {
		if (!g_str_has_prefix(names[i], word))
			continue;
		if (only)
			return NULL;
		only = names[i];
	}
	return only;
}

const char *hvr_nearest(const char *word, const char *const *names)
{
	const char *nearest = NULL;
	guint best = G_MAXUINT;
	gsize length = strlen(word);

	if (length > LONGEST)
		return NULL;
	for (gsize i = 0; names[i]; i++) {
		gsize name_length = strlen(names[i]);
		guint seen;

		gsize most = MAX(MAX(length, name_length), 3) / 3;
		/* as many would have to be inserted or deleted */
		if (name_length > LONGEST ||
		    MAX(length, name_length) - MIN(length, name_length) > most)
			continue;
		seen = distance(word, length, names[i], name_length);
		if (seen < best && seen <= most) {
			best = seen;
			nearest = names[i];
		}
	}
	return nearest ? nearest : only_beginning(word, names);
}

void hvr_nearest_hint(GError **error, const char *word, const char *const *names)
{
	const char *nearest = hvr_nearest(word, names);
	g_autofree char *shown = nearest ? hvr_text_safe(nearest) : NULL;

	if (shown)
		hvr_error_hint(error, "did you mean '%s'?", shown);
}
