/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests/docs: the table of sections and keys as text, a line each, with tabs between:
 *
 *   section NAME MOST          MOST is 0 for one without a name
 *   key NAME KIND MIN MAX REQUIRED FALLBACK WORD...
 */
#include <stdio.h>

#include "launcher/profile/table.h"
#include "launcher/profile/values.h"

static const char *kind_of(const HvrProfileKey *key)
{
	if (key->parse == hvr_value_size)
		return "size";
	if (key->parse == hvr_value_number || key->parse == hvr_value_seconds)
		return "number";
	return key->parse == hvr_value_switch ? "switch" : "other";
}

static void show_key(const HvrProfileKey *key)
{
	printf("key\t%s\t%s\t%" G_GUINT64_FORMAT "\t%" G_GUINT64_FORMAT "\t%d\t%s", key->name,
	       kind_of(key), key->min, key->max, key->required, key->fallback ? key->fallback : "");
	for (gsize i = 0; key->words && key->words[i]; i++)
		printf("\t%s", key->words[i]);
	putchar('\n');
}

int main(void)
{
	for (const HvrProfileSection *s = hvr_profile_table(NULL); s->name; s++) {
		printf("section\t%s\t%u\n", s->name, s->named ? s->most : 0);
		for (gsize i = 0; i < s->n_keys; i++)
			show_key(&s->keys[i]);
	}
	return 0;
}
