/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a profile's text to a HvrProfile.
 *
 *   text -> lines (lines.c), behind those of an included file (include.c) -> the words of --without
 * and --set drop and replace lines (overrides.c) -> parts, one per section, each value read as the
 * table says (table.c) -> defaults -> rules between values (check.c)
 *
 * The first mistake in the file's order ends it. A word of --set takes part as a line of its own,
 * so it is judged by the same rules; it takes the place of the line it overrides, and of those that
 * exclude each other with it (match, address and path).
 */
#include "launcher/profile/read.h"

#include <string.h>

#include "launcher/profile/check.h"
#include "launcher/profile/lines.h"
#include "launcher/profile/machine.h"
#include "launcher/profile/meant.h"
#include "launcher/profile/table.h"
#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

/* Ids that the program gives to its own parts of a VM begin so. */
#define RESERVED "hvr-"

#define ID_LENGTH 31

typedef struct {
	const char *file;
	HvrProfile *profile;
	GPtrArray *parts; /* of HvrProfilePart, by their headers */
} Reading;

static gboolean check_id(const Reading *reading, const HvrProfileLine *line, const char *name,
			 GError **error)
{
	if (!g_ascii_islower(name[0]) || strlen(name) > ID_LENGTH ||
	    !hvr_profile_name_valid(name)) {
		hvr_profile_fail(error, reading->file, line, "\"%s\" is not a name", name);
		hvr_error_hint(error, "expected up to %d of a-z, 0-9 and '-', a letter first",
			       ID_LENGTH);
		return FALSE;
	}
	if (g_str_has_prefix(name, RESERVED))
		return hvr_profile_fail(error, reading->file, line,
					"names in " RESERVED " belong to the program");
	return TRUE;
}

static gboolean check_section_name(const Reading *reading, const HvrProfileSection *kind,
				   const HvrProfileLine *line, const char *name, GError **error)
{
	if (kind->named && !name) {
		hvr_profile_fail(error, reading->file, line, "needs a name");
		if (line->from_set)
			hvr_profile_hint_unnamed(error, reading->parts, kind);
		hvr_error_hint(error, "write for example [%s %s]", kind->name, kind->name);
		return FALSE;
	}
	if (kind->named)
		return check_id(reading, line, name, error);
	if (name)
		return hvr_profile_fail(error, reading->file, line,
					"there is one [%s], without a "
					"name",
					kind->name);
	return TRUE;
}

static gboolean fail_unknown(GError **error, const Reading *reading, const HvrProfileLine *line,
			     const char *what, const char *name, const char *const *names)
{
	g_autofree char *all = g_strjoinv(", ", (char **)names);

	hvr_profile_fail(error, reading->file, line, "there is no such %s", what);
	if (line->from_set)
		hvr_profile_hint_kind(error, reading->parts, name);
	hvr_nearest_hint(error, name, names);
	hvr_error_hint(error, "expected one of: %s", all);
	return FALSE;
}

static const HvrProfileSection *find_section(const Reading *reading, const HvrProfileLine *line,
					     const char *name, GError **error)
{
	const HvrProfileSection *section = hvr_profile_section(name);
	g_autoptr(GPtrArray) names = NULL;

	if (section)
		return section;
	names = g_ptr_array_new();
	for (section = hvr_profile_table(NULL); section->name; section++)
		g_ptr_array_add(names, (char *)section->name);
	g_ptr_array_add(names, NULL);
	fail_unknown(error, reading, line, "section", name, (const char *const *)names->pdata);
	return NULL;
}

static int find_key(const Reading *reading, const HvrProfileSection *kind,
		    const HvrProfileLine *line, GError **error)
{
	const char *names[HVR_PROFILE_KEYS_MAX + 1] = { NULL };
	int index = hvr_profile_key_index(kind, line->key);

	if (index >= 0)
		return index;
	for (gsize i = 0; i < kind->n_keys; i++)
		names[i] = kind->keys[i].name;
	fail_unknown(error, reading, line, "key", line->key, names);
	return -1;
}

static guint count_parts(const Reading *reading, const HvrProfileSection *kind)
{
	guint count = 0;

	for (guint i = 0; i < reading->parts->len; i++)
		count += ((HvrProfilePart *)reading->parts->pdata[i])->kind == kind;
	return count;
}

/* Its keys go to the profile, or to a new entry of one of its lists. */
static HvrProfilePart *add_part(Reading *reading, const HvrProfileSection *kind,
				const HvrProfileLine *header, const char *name)
{
	HvrProfilePart *part = g_new0(HvrProfilePart, 1);

	part->kind = kind;
	part->header = header;
	part->base = reading->profile;
	if (kind->named) {
		GPtrArray *list = G_STRUCT_MEMBER(GPtrArray *, reading->profile, kind->list_offset);
		char **entry = g_malloc0(kind->entry_size);

		*entry = g_strdup(name);
		g_ptr_array_add(list, entry);
		part->base = entry;
		part->name = *entry;
	}
	g_ptr_array_add(reading->parts, part);
	return part;
}

static HvrProfilePart *find_part(const Reading *reading, const HvrProfileLine *line)
{
	for (guint i = 0; i < reading->parts->len; i++) {
		HvrProfilePart *part = reading->parts->pdata[i];

		if (strcmp(part->header->section, line->section) == 0)
			return part;
	}
	return NULL;
}

/* Of what kind @line's section is. @out_name: within @line; NULL: it has none */
static const HvrProfileSection *find_kind(const Reading *reading, const HvrProfileLine *line,
					  const char **out_name, GError **error)
{
	g_autofree char *word = g_strndup(line->section, strcspn(line->section, " "));
	const HvrProfileSection *kind = find_section(reading, line, word, error);

	*out_name = NULL;
	if (!kind)
		return NULL;
	if (line->section[strlen(word)] == ' ')
		*out_name = line->section + strlen(word) + 1;
	return check_section_name(reading, kind, line, *out_name, error) ? kind : NULL;
}

/* The part of @line's section; its first line makes it. */
static HvrProfilePart *enter_part(Reading *reading, const HvrProfileLine *line, GError **error)
{
	HvrProfilePart *part = find_part(reading, line);
	const HvrProfileSection *kind;
	const char *name;

	if (part)
		return part;
	kind = find_kind(reading, line, &name, error);
	if (!kind)
		return NULL;
	if (kind->named && count_parts(reading, kind) >= kind->most) {
		hvr_profile_fail(error, reading->file, line, "there can be %u of them", kind->most);
		return NULL;
	}
	return add_part(reading, kind, line, name);
}

/* Was another key of the same choice given? */
static gboolean check_choice(const Reading *reading, const HvrProfilePart *part, int index,
			     const HvrProfileLine *line, GError **error)
{
	const HvrProfileKey *keys = part->kind->keys;

	for (gsize i = 0; keys[index].one_of && i < part->kind->n_keys; i++)
		if (part->given[i] && g_strcmp0(keys[i].one_of, keys[index].one_of) == 0)
			return hvr_profile_fail(error, reading->file, line,
						"only one of %s can be given, and %s is",
						keys[index].one_of, keys[i].name);
	return TRUE;
}

/* @file: that the value is in, whose folder relative paths start in; NULL: the profile */
static gboolean read_value(const Reading *reading, const HvrProfilePart *part,
			   const HvrProfileKey *key, const char *value, const char *file,
			   GError **error)
{
	gpointer target = (char *)part->base + key->offset;

	if (!file)
		file = reading->file;
	g_autofree char *absolute = g_canonicalize_filename(file, NULL);
	g_autofree char *folder = g_path_get_dirname(absolute);

	return key->parse(key, value, folder, target, error);
}

/* A key that --set has emptied is as if nobody had written it: it only has to be one. */
static gboolean check_emptied(const Reading *reading, const HvrProfileLine *line, GError **error)
{
	const char *name;
	const HvrProfileSection *kind = find_kind(reading, line, &name, error);

	return kind && find_key(reading, kind, line, error) >= 0;
}

static gboolean take_line(Reading *reading, const HvrProfileLine *line, GError **error)
{
	const HvrProfileKey *key;
	int index;

	if (line->from_set && line->value[0] == '\0')
		return check_emptied(reading, line, error);
	HvrProfilePart *part = enter_part(reading, line, error);
	if (!part)
		return FALSE;
	if (!line->key)
		return TRUE;
	index = find_key(reading, part->kind, line, error);
	if (index < 0)
		return FALSE;
	key = &part->kind->keys[index];
	if (line->value[0] == '\0' && (key->required || key->fallback)) {
		hvr_profile_fail(error, reading->file, line, "has no value");
		hvr_error_hint(error, "write for example %s = %s", key->name, key->sample);
		return FALSE;
	}
	/* else it is as if the key were not there */
	if (line->value[0] == '\0')
		return TRUE;
	if (!check_choice(reading, part, index, line, error))
		return FALSE;
	if (!read_value(reading, part, key, line->value, line->file, error))
		return hvr_profile_prefix(error, reading->file, line);
	part->given[index] = line;
	return TRUE;
}

/* Defaults are for keys that nobody gave, and of a choice only when none of it was given. */
static gboolean wants_fallback(const HvrProfilePart *part, const HvrProfileKey *key)
{
	const HvrProfileKey *keys = part->kind->keys;

	if (!key->fallback)
		return FALSE;
	for (gsize i = 0; i < part->kind->n_keys; i++)
		if (part->given[i] &&
		    (&keys[i] == key ||
		     (key->one_of && g_strcmp0(keys[i].one_of, key->one_of) == 0)))
			return FALSE;
	return TRUE;
}

static gboolean complete_part(const Reading *reading, const HvrProfilePart *part, GError **error)
{
	for (gsize i = 0; i < part->kind->n_keys; i++) {
		const HvrProfileKey *key = &part->kind->keys[i];
		HvrProfileLine place = hvr_profile_part_place(part, key->name);

		if (wants_fallback(part, key) &&
		    !read_value(reading, part, key, key->fallback, NULL, error))
			return hvr_profile_prefix(error, reading->file, &place);
		if (!key->required || part->given[i])
			continue;
		hvr_profile_fail(error, reading->file, &place, "is missing");
		if (place.from_set)
			hvr_profile_hint_part(error, reading->parts, part);
		hvr_error_hint(error, "write for example %s = %s", key->name, key->sample);
		return FALSE;
	}
	return TRUE;
}

/* The file's name without ".ini". */
static gboolean complete_name(const Reading *reading, GError **error)
{
	HvrProfile *profile = reading->profile;
	g_autofree char *base = g_path_get_basename(profile->file);
	const HvrProfileLine place = { .section = (char *)"vm", .key = (char *)"name" };

	if (g_strcmp0(profile->name, HVR_PROFILE_NAME_AUTO) == 0) {
		profile->name_auto = TRUE;
		g_clear_pointer(&profile->name, g_free);
	}
	if (profile->name)
		return TRUE;
	if (g_str_has_suffix(base, ".ini"))
		base[strlen(base) - strlen(".ini")] = '\0';
	if (!hvr_profile_name_valid(base)) {
		hvr_profile_fail(error, reading->file, &place,
				 "is missing, and the file's name is not a VM name");
		hvr_error_hint(error, "write for example name = lab");
		return FALSE;
	}
	profile->name = g_steal_pointer(&base);
	return TRUE;
}

/* Each machine has a QEMU of its own; the default in the table is the default machine's. */
static void complete_binary(const Reading *reading)
{
	HvrProfile *profile = reading->profile;

	for (guint i = 0; i < reading->parts->len; i++)
		if (hvr_profile_part_line(reading->parts->pdata[i], "binary"))
			return;
	g_free(profile->qemu_binary);
	profile->qemu_binary = g_strdup(hvr_machine_find(profile->machine)->binary);
}

/* A CD is none of what the table's defaults say of a disk. */
static void complete_cdroms(const Reading *reading)
{
	for (guint i = 0; i < reading->parts->len; i++) {
		const HvrProfilePart *part = reading->parts->pdata[i];
		HvrProfileDisk *disk = part->base;

		if (strcmp(part->kind->name, "disk") != 0 || !disk->cdrom)
			continue;
		if (!hvr_profile_part_line(part, "format"))
			disk->format = HVR_DISK_RAW;
		if (!hvr_profile_part_line(part, "bus"))
			disk->bus = HVR_DISK_SATA;
		if (!hvr_profile_part_line(part, "readonly"))
			disk->readonly = TRUE;
	}
}

/* A file beside the profile, under the VM's name. [transfer full] */
static char *beside(const HvrProfile *profile, const char *suffix)
{
	g_autofree char *folder = g_path_get_dirname(profile->file);

	return g_strdup_printf("%s/%s.%s", folder, profile->name, suffix);
}

static gboolean read_lines(Reading *reading, const GPtrArray *lines, GError **error)
{
	HvrProfile *profile = reading->profile;

	for (guint i = 0; i < lines->len; i++)
		if (!take_line(reading, lines->pdata[i], error))
			return FALSE;
	for (const HvrProfileSection *kind = hvr_profile_table(NULL); kind->name; kind++)
		if (!kind->named && count_parts(reading, kind) == 0)
			add_part(reading, kind, NULL, NULL);
	for (guint i = 0; i < reading->parts->len; i++)
		if (!complete_part(reading, reading->parts->pdata[i], error))
			return FALSE;
	if (!complete_name(reading, error))
		return FALSE;
	profile->stem = g_strdup(profile->name);
	complete_binary(reading);
	complete_cdroms(reading);
	if (profile->firmware.uefi && !profile->firmware.vars)
		profile->firmware.vars = beside(profile, "vars.fd");
	if (profile->tpm.model != HVR_TPM_NONE && !profile->tpm.state)
		profile->tpm.state = beside(profile, "tpm");
	for (guint i = 0; i < profile->nets->len; i++) {
		HvrProfileNet *net = profile->nets->pdata[i];

		if (!net->forwards)
			net->forwards = g_ptr_array_new();
	}
	hvr_profile_make_macs(profile);
	hvr_profile_number_functions(profile);
	return hvr_profile_check(reading->file, profile, reading->parts, error);
}

HvrProfile *hvr_profile_read(const char *file, const char *text, gsize length,
			     const HvrProfileChanges *changes, HvrProfileReader reader,
			     GError **error)
{
	g_autoptr(HvrProfile) profile = hvr_profile_new(file);
	g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) lines = hvr_profile_include(file, text, length, reader, error);
	Reading reading = { .file = file, .profile = profile, .parts = parts };
	gboolean name_auto;

	if (!lines || !hvr_profile_override(lines, changes, &name_auto, error) ||
	    !read_lines(&reading, lines, error))
		return NULL;
	profile->name_auto = profile->name_auto || name_auto;
	return g_steal_pointer(&profile);
}

HvrProfile *hvr_profile_parse(const char *file, const char *text, gsize length,
			      const char *const *sets, GError **error)
{
	const HvrProfileChanges changes = { .sets = (char **)sets };

	return hvr_profile_read(file, text, length, &changes, NULL, error);
}
