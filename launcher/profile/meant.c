/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/profile/meant.h"

#include <string.h>

#include "launcher/profile/table.h"
#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

static void hint(GError **error, const HvrProfilePart *part)
{
	hvr_error_hint(error, "did you mean '%s.%s'?", part->kind->name, part->name);
}

void hvr_profile_hint_kind(GError **error, const GPtrArray *parts, const char *name)
{
	for (guint i = 0; i < parts->len; i++) {
		const HvrProfilePart *part = g_ptr_array_index(parts, i);
		if (g_strcmp0(part->name, name) == 0)
			hint(error, part);
	}
}

void hvr_profile_hint_unnamed(GError **error, const GPtrArray *parts, const HvrProfileSection *kind)
{
	const HvrProfilePart *only = NULL;
	guint n = 0;

	for (guint i = 0; i < parts->len; i++) {
		const HvrProfilePart *part = g_ptr_array_index(parts, i);
		if (part->kind != kind)
			continue;
		only = part;
		n++;
	}
	if (n == 1)
		hint(error, only);
}

void hvr_profile_hint_part(GError **error, const GPtrArray *parts, const HvrProfilePart *part)
{
	if (!part->name)
		return;
	for (guint i = 0; i < parts->len; i++) {
		const HvrProfilePart *other = g_ptr_array_index(parts, i);
		if (other == part || other->kind != part->kind)
			continue;
		const char *const names[] = { other->name, NULL };
		if (hvr_nearest(part->name, names))
			hint(error, other);
	}
}

void hvr_profile_hint_key(GError **error, const char *word)
{
	g_autofree char *key = g_strndup(word, strcspn(word, "="));

	for (const HvrProfileSection *s = hvr_profile_table(NULL); s->name; s++)
		if (!s->named && hvr_profile_key_index(s, key) >= 0)
			hvr_error_hint(error, "did you mean '%s.%s'?", s->name, word);
}
