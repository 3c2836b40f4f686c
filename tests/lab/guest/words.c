/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: words between spaces, the first of which is the kernel's name */
#include "guest.h"

static const char *words = "";

void words_init(const char *line)
{
	words = line;
}

static const char *after_prefix(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return NULL;
	return text;
}

/* Returns what follows the prefix in the first word that begins with it */
static const char *find(const char *prefix)
{
	bool at_start = true;

	for (const char *next = words; *next; next++) {
		const char *rest = at_start ? after_prefix(next, prefix) : NULL;

		if (rest)
			return rest;
		at_start = *next == ' ';
	}
	return NULL;
}

bool word_is_given(const char *word)
{
	const char *rest = find(word);

	return rest && (*rest == ' ' || *rest == '\0');
}

bool word_number(const char *prefix, unsigned int *out)
{
	const char *rest = find(prefix);

	if (!rest)
		return false;
	for (*out = 0; *rest >= '0' && *rest <= '9'; rest++)
		*out = 10 * *out + (unsigned int)(*rest - '0');
	return true;
}
