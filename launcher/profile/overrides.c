/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of --without and --set, done to lines before anything is known of what they mean: what
 * they leave is read as if a file had said it.
 */
#include "launcher/profile/overrides.h"

#include <string.h>

#include "launcher/profile/lines.h"
#include "launcher/profile/meant.h"
#include "launcher/profile/profile.h"
#include "launcher/profile/table.h"
#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

/* vm.name=auto leaves the name as what one is made of. */
static gboolean asks_for_name(const HvrProfileLine *set)
{
	return strcmp(set->section, "vm") == 0 && strcmp(set->key, "name") == 0 &&
	       g_strcmp0(set->value, HVR_PROFILE_NAME_AUTO) == 0;
}

/* Does @set take the place of @line? */
static gboolean overrides(const HvrProfileLine *set, const HvrProfileLine *line)
{
	g_autofree char *kind = g_strndup(set->section, strcspn(set->section, " "));
	const HvrProfileSection *section = hvr_profile_section(kind);

	if (!line->key || strcmp(set->section, line->section) != 0)
		return FALSE;
	if (strcmp(set->key, line->key) == 0)
		return TRUE;
	/* What is emptied leaves the others of its choice as they are. */
	if (!section || set->value[0] == '\0')
		return FALSE;
	int a = hvr_profile_key_index(section, set->key);
	int b = hvr_profile_key_index(section, line->key);
	return a >= 0 && b >= 0 && section->keys[a].one_of &&
	       g_strcmp0(section->keys[a].one_of, section->keys[b].one_of) == 0;
}

static gboolean set_key(GPtrArray *lines, const char *word, gboolean *out_name_auto, GError **error)
{
	g_autoptr(HvrProfileLine) set = hvr_profile_line_from_set(word, error);

	if (!set) {
		hvr_profile_hint_key(error, word);
		hvr_error_hint(error, "write for example --set vm.memory=8G or --set "
				      "device.npu.pick=free");
		return FALSE;
	}
	if (strcmp(set->section, "vm") == 0 && strcmp(set->key, "include") == 0)
		return hvr_profile_fail(error, "--set", set, "an include stands in a file");
	if (asks_for_name(set)) {
		*out_name_auto = TRUE;
		return TRUE;
	}
	if (strcmp(set->section, "vm") == 0 && strcmp(set->key, "name") == 0)
		*out_name_auto = FALSE;
	for (guint i = lines->len; i > 0; i--)
		if (overrides(set, lines->pdata[i - 1]))
			g_ptr_array_remove_index(lines, i - 1);
	g_ptr_array_add(lines, g_steal_pointer(&set));
	return TRUE;
}

/* Is @section the one that @wanted names, or one of that kind? */
static gboolean is_meant(const char *wanted, const char *section)
{
	gsize length = strlen(wanted);

	return strncmp(wanted, section, length) == 0 &&
	       (section[length] == '\0' || section[length] == ' ');
}

/* The sections that there are, as --without takes them; each once. [transfer full] */
static char **list_sections(const GPtrArray *lines)
{
	g_autoptr(GStrvBuilder) names = g_strv_builder_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < lines->len; i++) {
		const HvrProfileLine *line = lines->pdata[i];
		g_autofree char *name = NULL;
		if (!g_hash_table_add(seen, line->section))
			continue;
		name = g_strdelimit(g_strdup(line->section), " ", '.');
		g_strv_builder_add(names, name);
	}
	return g_strv_builder_end(names);
}

static gboolean fail_missing(GError **error, const char *word, const GPtrArray *lines)
{
	g_auto(GStrv) names = list_sections(lines);
	g_autofree char *all = g_strjoinv(", ", names);
	g_autofree char *dotted = g_strdelimit(g_strdup(word), " ", '.');
	g_autofree char *place = g_strdup_printf("--without %s", dotted);

	hvr_profile_fail(error, place, NULL, "the profile has no such section");
	hvr_nearest_hint(error, dotted, (const char *const *)names);
	if (*names)
		hvr_error_hint(error, "it has: %s", all);
	return FALSE;
}

static gboolean drop_section(GPtrArray *lines, const char *word, GError **error)
{
	g_autofree char *wanted = hvr_profile_section_from_word("--without", word, error);
	guint before = lines->len;

	if (!wanted)
		return FALSE;
	if (wanted[0] == '\0') {
		hvr_profile_fail(error, "--without", NULL, "\"%s\" is no section", word);
		hvr_error_hint(error, "write for example --without device.npu");
		return FALSE;
	}
	for (guint i = lines->len; i > 0; i--)
		if (is_meant(wanted, ((HvrProfileLine *)lines->pdata[i - 1])->section))
			g_ptr_array_remove_index(lines, i - 1);
	return lines->len < before || fail_missing(error, wanted, lines);
}

gboolean hvr_profile_override(GPtrArray *lines, const HvrProfileChanges *changes,
			      gboolean *out_name_auto, GError **error)
{
	*out_name_auto = FALSE;
	if (!changes)
		return TRUE;
	for (char **word = changes->without; word && *word; word++)
		if (!drop_section(lines, *word, error))
			return FALSE;
	for (char **word = changes->sets; word && *word; word++)
		if (!set_key(lines, *word, out_name_auto, error))
			return FALSE;
	return TRUE;
}
