/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests/docs: the table of sections and keys as text, or whether a profile is one.
 *
 *   profile-table          a line each, with tabs between:
 *                            section NAME MOST          MOST is 0 for one without a name
 *                            key NAME KIND MIN MAX REQUIRED FALLBACK WORD...
 *   profile-table FILE     status 0 when FILE is a profile, else 1 and why
 */
#include <stdio.h>

#include "launcher/profile/load.h"
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

static int check(const char *file)
{
	g_autoptr(GError) error = NULL;
	const HvrProfileFile found = { .path = (char *)file };
	g_autoptr(HvrProfile) profile = hvr_profile_load(&found, NULL, &error);

	if (!profile)
		printf("%s\n", error->message);
	return profile ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return check(argv[1]);
	for (const HvrProfileSection *s = hvr_profile_table(NULL); s->name; s++) {
		printf("section\t%s\t%u\n", s->name, s->named ? s->most : 0);
		for (gsize i = 0; i < s->n_keys; i++)
			show_key(&s->keys[i]);
	}
	return 0;
}
