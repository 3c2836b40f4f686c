/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [vm] include: a profile on top of another one.
 *
 * Every file is split by itself, so duplicates within one are still found, and then the lines of
 * the outer one replace those of the inner one. What results is read as a single profile: the
 * rules between values see the sum only.
 */
#include "launcher/profile/include.h"

#include <string.h>

#include "launcher/profile/lines.h"
#include "launcher/profile/table.h"

#define SECTION "vm"
#define KEY	"include"
#define DEEPEST 8

/* The files on the way from the outermost to the one that is being read. */
typedef struct {
	HvrProfileReader reader;
	GPtrArray *files; /* of char *, absolute */
} Chain;

static const HvrProfileLine *find_include(const GPtrArray *lines)
{
	const HvrProfileLine *found = NULL;

	for (guint i = 0; i < lines->len; i++) {
		const HvrProfileLine *line = g_ptr_array_index(lines, i);

		if (g_strcmp0(line->section, SECTION) == 0 && g_strcmp0(line->key, KEY) == 0)
			found = line;
	}
	/* without a value it is as if it were not there */
	if (!found || found->value[0] == '\0')
		return NULL;
	return found;
}

/* The path that @line names, absolute. */
static char *read_path(const char *file, const HvrProfileLine *line, GError **error)
{
	const HvrProfileSection *section = hvr_profile_section(SECTION);
	const HvrProfileKey *key = &section->keys[hvr_profile_key_index(section, KEY)];
	g_autofree char *absolute = g_canonicalize_filename(file, NULL);
	g_autofree char *folder = g_path_get_dirname(absolute);
	char *path = NULL;

	if (!key->parse(key, line->value, folder, &path, error))
		hvr_profile_prefix(error, file, line);
	return path;
}

static gboolean check_chain(const Chain *chain, const char *file, const HvrProfileLine *line,
			    const char *path, GError **error)
{
	if (!chain->reader)
		return hvr_profile_fail(error, file, line, "only a profile in a file can have one");
	if (g_ptr_array_find_with_equal_func(chain->files, path, g_str_equal, NULL))
		return hvr_profile_fail(error, file, line, "leads back to '%s'", path);
	if (chain->files->len >= DEEPEST)
		return hvr_profile_fail(error, file, line, "is the %dth file within another",
					DEEPEST);
	return TRUE;
}

static char *id_of(const char *section, const char *key)
{
	return g_strjoin("\n", section, key, NULL);
}

/* The ids of all keys whose place @line takes. */
static void add_ids(GHashTable *ids, const HvrProfileLine *line)
{
	g_autofree char *kind = g_strndup(line->section, strcspn(line->section, " "));
	const HvrProfileSection *section = hvr_profile_section(kind);

	g_hash_table_add(ids, id_of(line->section, line->key));
	if (!section)
		return;
	int index = hvr_profile_key_index(section, line->key);
	if (index < 0 || !section->keys[index].one_of)
		return;
	for (gsize i = 0; i < section->n_keys; i++)
		if (g_strcmp0(section->keys[i].one_of, section->keys[index].one_of) == 0)
			g_hash_table_add(ids, id_of(line->section, section->keys[i].name));
}

/* Takes the lines out of @inner and @outer. [transfer container] */
static GPtrArray *merge(GPtrArray *inner, GPtrArray *outer)
{
	g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GPtrArray *merged = g_ptr_array_new_with_free_func((GDestroyNotify)hvr_profile_line_free);

	for (guint i = 0; i < outer->len; i++)
		if (((HvrProfileLine *)outer->pdata[i])->key)
			add_ids(ids, outer->pdata[i]);
	for (guint i = 0; i < inner->len; i++) {
		HvrProfileLine *line = inner->pdata[i];
		g_autofree char *id = id_of(line->section, line->key);

		if (line->key && g_hash_table_contains(ids, id))
			hvr_profile_line_free(line);
		else
			g_ptr_array_add(merged, line);
		inner->pdata[i] = NULL;
	}
	g_ptr_array_extend_and_steal(merged, g_ptr_array_ref(outer));
	return merged;
}

static GPtrArray *read_all(Chain *chain, const char *file, const char *text, gsize length,
			   GError **error)
{
	g_autoptr(GPtrArray) outer = hvr_profile_lines_read(file, text, length, error);
	g_autoptr(GPtrArray) inner = NULL;
	g_autofree char *path = NULL;
	g_autofree char *inner_text = NULL;
	gsize inner_length = 0;

	if (!outer)
		return NULL;
	const HvrProfileLine *line = find_include(outer);
	if (!line)
		return g_steal_pointer(&outer);
	path = read_path(file, line, error);
	if (!path || !check_chain(chain, file, line, path, error))
		return NULL;
	inner_text = chain->reader(path, &inner_length, error);
	if (!inner_text) {
		hvr_profile_prefix(error, file, line);
		return NULL;
	}
	g_ptr_array_add(chain->files, path);
	inner = read_all(chain, path, inner_text, inner_length, error);
	if (!inner)
		return NULL;
	return merge(inner, outer);
}

GPtrArray *hvr_profile_include(const char *file, const char *text, gsize length,
			       HvrProfileReader reader, GError **error)
{
	g_autofree char *absolute = g_canonicalize_filename(file, NULL);
	g_autoptr(GPtrArray) files = g_ptr_array_new();
	Chain chain = { .reader = reader, .files = files };

	g_ptr_array_add(files, absolute);
	return read_all(&chain, file, text, length, error);
}
