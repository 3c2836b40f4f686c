/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values that are not about PCI or networks: numbers, sizes, words, paths.
 *
 * A value may end up in an option string of QEMU, in a path or in a message to a terminal. What it
 * can hold is therefore said positively: a number within bounds, one of some words, a word of
 * given characters. Only paths, the kernel's command line and [qemu] args are free text, and those
 * reach QEMU as JSON, with doubled commas, or as words of their own.
 */
#include "launcher/profile/values.h"

#include <limits.h>
#include <string.h>

#include "launcher/profile/lines.h"
#include "launcher/profile/machine.h"
#include "launcher/profile/profile.h"
#include "launcher/report/error.h"
#include "launcher/report/nearest.h"

#define DIGITS "0123456789"
#define MIB    (G_GUINT64_CONSTANT(1) << 20)

static const char suffixes[] = "KMGT";

static void set_string(gpointer target, char *text)
{
	char **field = target;

	g_free(*field);
	*field = text;
}

static gboolean read_number(const HvrProfileKey *key, const char *value, guint64 *out_number,
			    GError **error)
{
	g_autoptr(GError) why = NULL;

	if (g_ascii_string_to_unsigned(value, 10, key->min, key->max, out_number, &why))
		return TRUE;
	if (g_error_matches(why, G_NUMBER_PARSER_ERROR, G_NUMBER_PARSER_ERROR_OUT_OF_BOUNDS))
		hvr_profile_fail(error, NULL, NULL, "\"%s\" is out of range", value);
	else
		hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a whole number", value);
	hvr_error_hint(error, "expected %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, key->min,
		       key->max);
	return FALSE;
}

gboolean hvr_value_number(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error)
{
	guint64 number;

	if (!read_number(key, value, &number, error))
		return FALSE;
	*(guint *)target = number;
	return TRUE;
}

gboolean hvr_value_seconds(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error)
{
	guint64 seconds;

	if (!read_number(key, value, &seconds, error))
		return FALSE;
	*(guint *)target = seconds * 1000;
	return TRUE;
}

/* "16M": the largest unit that leaves a whole number. */
static char *format_size(guint64 bytes)
{
	gsize unit = 0;

	while (unit < strlen(suffixes) && bytes >= 1024 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	if (unit == 0)
		return g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
	return g_strdup_printf("%" G_GUINT64_FORMAT "%c", bytes, suffixes[unit - 1]);
}

static gboolean fail_size(const HvrProfileKey *key, const char *value, const char *what,
			  GError **error)
{
	g_autofree char *min = format_size(key->min);
	g_autofree char *max = format_size(key->max);

	hvr_profile_fail(error, NULL, NULL, "\"%s\" %s", value, what);
	hvr_error_hint(error,
		       "expected a number with K, M, G or T, from %s to %s, such as %s; without a "
		       "letter it counts bytes",
		       min, max, key->sample);
	return FALSE;
}

/* "4096" or "4G" to the number and the power of two that its letter stands for. */
static gboolean split_size(const char *value, char **out_number, guint *out_shift)
{
	gsize digits = strspn(value, DIGITS);
	const char *suffix = value + digits;
	guint shift = 0;

	if (digits == 0)
		return FALSE;
	if (*suffix) {
		const char *known = strchr(suffixes, g_ascii_toupper(*suffix));

		if (!known || suffix[1])
			return FALSE;
		shift = 10 * (known - suffixes + 1);
	}
	*out_number = g_strndup(value, digits);
	*out_shift = shift;
	return TRUE;
}

gboolean hvr_value_size(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error)
{
	g_autofree char *number = NULL;
	guint64 bytes;
	guint shift;

	if (!split_size(value, &number, &shift))
		return fail_size(key, value, "is not a size", error);
	if (!g_ascii_string_to_unsigned(number, 10, 0, key->max >> shift, &bytes, NULL))
		return fail_size(key, value, "is too large", error);
	bytes <<= shift;
	if (bytes < key->min)
		return fail_size(key, value, "is too small", error);
	if (bytes % MIB != 0)
		return fail_size(key, value, "is not a multiple of 1M", error);
	*(guint64 *)target = bytes;
	return TRUE;
}

static int find_word(const HvrProfileKey *key, const char *value, GError **error)
{
	g_autofree char *all = NULL;
	const char *nearest;

	for (int i = 0; key->words[i]; i++)
		if (strcmp(key->words[i], value) == 0)
			return i;
	hvr_profile_fail(error, NULL, NULL, "\"%s\" is not one of its values", value);
	nearest = hvr_nearest(value, key->words);
	all = g_strjoinv(", ", (char **)key->words);
	if (nearest)
		hvr_error_hint(error, "did you mean '%s'? It takes %s", nearest, all);
	else
		hvr_error_hint(error, "it takes %s", all);
	return -1;
}

gboolean hvr_value_choice(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error)
{
	int found = find_word(key, value, error);

	if (found < 0)
		return FALSE;
	*(int *)target = found;
	return TRUE;
}

gboolean hvr_value_switch(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error)
{
	int found = find_word(key, value, error);

	if (found < 0)
		return FALSE;
	*(gboolean *)target = found % 2;
	return TRUE;
}

/* A key without a bound of its own takes what a path may have. */
static gboolean check_length(const HvrProfileKey *key, const char *value, GError **error)
{
	gsize most = PATH_MAX - 1;

	if (key->max)
		most = key->max;
	if (strlen(value) <= most)
		return TRUE;
	return hvr_profile_fail(error, NULL, NULL, "\"%s\" is longer than %zu bytes", value, most);
}

static gboolean check_word(const HvrProfileKey *key, const char *value, GError **error)
{
	if (!check_length(key, value, error))
		return FALSE;
	if (value[0] == '-')
		return hvr_profile_fail(error, NULL, NULL, "\"%s\" begins with '-'", value);
	for (const char *c = value; *c; c = g_utf8_next_char(c)) {
		if (g_ascii_isalnum(*c) || strchr(key->characters, *c))
			continue;
		hvr_profile_fail(error, NULL, NULL, "\"%s\" holds '%.*s'", value,
				 (int)(g_utf8_next_char(c) - c), c);
		hvr_error_hint(error, "expected letters, digits and %s, such as %s",
			       key->characters, key->sample);
		return FALSE;
	}
	return TRUE;
}

gboolean hvr_value_text(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error)
{
	if (!check_length(key, value, error))
		return FALSE;
	set_string(target, g_strdup(value));
	return TRUE;
}

gboolean hvr_value_word(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error)
{
	if (!check_word(key, value, error))
		return FALSE;
	set_string(target, g_strdup(value));
	return TRUE;
}

gboolean hvr_value_machine(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error)
{
	if (!check_word(key, value, error))
		return FALSE;
	if (!hvr_machine_find(value)) {
		hvr_profile_fail(error, NULL, NULL, "\"%s\" %s", value, hvr_machine_refusal(value));
		hvr_error_hint(error, "expected %s or a version of it, such as %s", key->fallback,
			       key->sample);
		return FALSE;
	}
	set_string(target, g_strdup(value));
	return TRUE;
}

gboolean hvr_value_vm_name(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error)
{
	if (!hvr_profile_name_valid(value)) {
		hvr_profile_fail(error, NULL, NULL, "\"%s\" is not a VM name", value);
		hvr_error_hint(error, "expected up to 63 of a-z, 0-9 and '-', not '-' first");
		return FALSE;
	}
	set_string(target, g_strdup(value));
	return TRUE;
}

static gboolean read_any_path(const HvrProfileKey *key, const char *value, const char *folder,
			      char **out_path, GError **error)
{
	g_autofree char *path = NULL;

	if (g_str_has_prefix(value, "~/")) {
		hvr_profile_fail(error, NULL, NULL, "\"%s\" begins with '~'", value);
		hvr_error_hint(error,
			       "expected an absolute path, or one from the profile's folder");
		return FALSE;
	}
	path = g_canonicalize_filename(value, folder);
	if (!check_length(key, path, error))
		return FALSE;
	*out_path = g_steal_pointer(&path);
	return TRUE;
}

static gboolean read_path(const HvrProfileKey *key, const char *value, const char *folder,
			  char **out_path, GError **error)
{
	if (g_str_has_suffix(value, "/") && !g_str_has_prefix(value, "~/")) {
		hvr_profile_fail(error, NULL, NULL, "\"%s\" names a folder", value);
		return FALSE;
	}
	return read_any_path(key, value, folder, out_path, error);
}

gboolean hvr_value_folder(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error)
{
	char *path;

	if (!read_any_path(key, value, folder, &path, error))
		return FALSE;
	set_string(target, path);
	return TRUE;
}

gboolean hvr_value_path(const HvrProfileKey *key, const char *value, const char *folder,
			gpointer target, GError **error)
{
	char *path;

	if (!read_path(key, value, folder, &path, error))
		return FALSE;
	set_string(target, path);
	return TRUE;
}

gboolean hvr_value_initrd(const HvrProfileKey *key, const char *value, const char *folder,
			  gpointer target, GError **error)
{
	g_autofree char *path = NULL;

	if (!read_path(key, value, folder, &path, error))
		return FALSE;
	if (strchr(path, ',')) {
		hvr_profile_fail(error, NULL, NULL, "\"%s\" holds a comma", path);
		hvr_error_hint(error, "QEMU splits the name at commas for some kernels; rename it");
		return FALSE;
	}
	set_string(target, g_steal_pointer(&path));
	return TRUE;
}

gboolean hvr_value_program(const HvrProfileKey *key, const char *value, const char *folder,
			   gpointer target, GError **error)
{
	if (!check_word(key, value, error))
		return FALSE;
	if (strchr(value, '/'))
		return hvr_value_path(key, value, folder, target, error);
	set_string(target, g_strdup(value));
	return TRUE;
}

gboolean hvr_value_shell_words(const HvrProfileKey *key, const char *value, const char *folder,
			       gpointer target, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) why = NULL;
	g_autofree char **words = NULL;
	GPtrArray **field = target;
	int n_words;

	if (!g_shell_parse_argv(value, &n_words, &words, &why)) {
		const char *mistake = "a quote, or what stands behind a backslash, is missing";

		if (g_error_matches(why, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING))
			mistake = "there are none";
		hvr_profile_fail(error, NULL, NULL, "cannot be split into words: %s", mistake);
		hvr_error_hint(error, "quote it as for a shell: %s", key->sample);
		return FALSE;
	}
	for (int i = 0; i < n_words; i++)
		g_ptr_array_add(list, words[i]);
	g_clear_pointer(field, g_ptr_array_unref);
	*field = g_steal_pointer(&list);
	return TRUE;
}
