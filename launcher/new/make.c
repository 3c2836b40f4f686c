/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A new profile is a sample of configs/ with other values: what is written for a user is what the
 * tests start, and no text is here twice.
 */
#include "launcher/new/make.h"

#include <string.h>

#include "launcher/new/edit.h"
#include "launcher/profile/read.h"
#include "launcher/report/error.h"

#define MIB (G_GUINT64_CONSTANT(1) << 20)

#define DISK "disk root"

/* What a disk that is made has, in the sample. */
#define BASE_BYTES (G_GUINT64_CONSTANT(20480) * MIB)

/* The card that [device] means by itself. */
#define DEFAULT_MATCH "1e60:2864"

static gboolean usage(GError **error, const char *word, const char *what)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE, "new: %s: %s", word, what);
	return FALSE;
}

static gboolean check_line(const char *word, const char *value, GError **error)
{
	gboolean well = !value || g_utf8_validate(value, -1, NULL);

	for (const char *c = value; well && c && *c; c = g_utf8_next_char(c))
		well = !g_unichar_iscntrl(g_utf8_get_char(c));
	return well || usage(error, word, "a control character, or no UTF-8, is in it");
}

static gboolean check_wish(const HvrNewWish *wish, GError **error)
{
	const HvrNewKind *kind = wish->kind;

	if (!check_line("--name", wish->name, error) || !check_line("--user", wish->user, error) ||
	    !check_line("--memory", wish->memory, error) ||
	    !check_line("--image", wish->image, error) || !check_line("FILE", wish->file, error))
		return FALSE;
	if (wish->user && !kind->login)
		return usage(error, "--user", "this kind has no user of its own");
	if (wish->key && !kind->login)
		return usage(error, "--key", "this kind has no user whose key it could be");
	if (wish->card && wish->card->given && !kind->card)
		return usage(error, "--card", "this kind has none yet");
	return TRUE;
}

/* The words of the sample, and the names in its examples. */
static void set_words(GString *text, const HvrNewWish *wish)
{
	static const char *const before[] = { " ssh ", " exec ", "--json " };
	const HvrNewKind *kind = wish->kind;
	g_autofree char *own = g_strconcat(kind->name, ".ini", NULL);
	g_autofree char *base = wish->file ? g_path_get_basename(wish->file) : NULL;

	for (const char *const *word = kind->words; word && *word; word += 2)
		g_string_replace(text, word[0], word[1], 0);
	if (base)
		g_string_replace(text, own, base, 0);
	for (guint i = 0; wish->name && i < G_N_ELEMENTS(before); i++) {
		g_autofree char *from = g_strconcat(before[i], kind->name, NULL);
		g_autofree char *to = g_strconcat(before[i], wish->name, NULL);
		g_string_replace(text, from, to, 0);
	}
}

/* A cloud image is what the disk is made on, where that can be; any other is the disk. */
static void set_image(GString *text, const HvrNewWish *wish)
{
	const HvrNewImage *is = &wish->image_is;
	gboolean base = wish->kind->login && g_strcmp0(is->format, "qcow2") == 0;
	g_autofree char *size =
		g_strdup_printf("%" G_GUINT64_FORMAT "M", (is->size_bytes + MIB - 1) / MIB);

	if (!wish->image)
		return;
	if (base) {
		hvr_edit_set(text, DISK, "base", wish->image);
		if (is->size_bytes > BASE_BYTES)
			hvr_edit_set(text, DISK, "size", size);
		return;
	}
	hvr_edit_set(text, DISK, "file", wish->image);
	hvr_edit_set(text, DISK, "format", is->format);
	hvr_edit_comment(text, DISK, "size");
	hvr_edit_comment(text, DISK, "base");
}

/* By its place, where it is the only one or was named; of several any that is free. */
static void set_card(GString *text, const HvrNewCard *card)
{
	const HvrPciFunction *function = card->function;
	g_autofree char *match = NULL;

	if (!function) {
		hvr_edit_comment(text, "device npu", NULL);
		return;
	}
	if (card->n <= 1 || card->given) {
		if (function->path)
			hvr_edit_set(text, "device npu", "path", function->path);
		else
			hvr_edit_set(text, "device npu", "address", function->name);
		return;
	}
	match = g_strdup_printf("%04x:%04x", function->vendor, function->device);
	hvr_edit_set(text, "device npu", "pick", "free");
	if (!g_str_equal(match, DEFAULT_MATCH))
		hvr_edit_set(text, "device npu", "match", match);
}

static void set_values(GString *text, const HvrNewWish *wish)
{
	const HvrNewKernel *kernel = wish->kernel;
	g_autofree char *cpus = g_strdup_printf("%u", wish->cpus);
	const struct {
		const char *section, *key, *value;
	} values[] = {
		{ "vm", "name", wish->name },
		{ "vm", "memory", wish->memory },
		{ "vm", "cpus", wish->cpus ? cpus : NULL },
		{ "cloud-init", "user", wish->user },
		{ "cloud-init", "ssh-key", wish->key },
		{ "boot", "kernel", kernel ? kernel->image : NULL },
		{ "boot", "initrd", kernel ? kernel->initrd : NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(values); i++)
		if (values[i].value)
			hvr_edit_set(text, values[i].section, values[i].key, values[i].value);
}

/* It is a profile, and the image in it is the one that was meant: of a name a profile may not take
 * every one. */
static gboolean check_text(const GString *text, const HvrNewWish *wish, GError **error)
{
	const char *file = wish->file ? wish->file : "new.ini";
	g_autoptr(HvrProfile) profile = hvr_profile_parse(file, text->str, text->len, NULL, error);

	if (!profile)
		return FALSE;
	const HvrProfileDisk *disk = g_ptr_array_index(profile->disks, 0);
	g_autofree char *folder = g_path_get_dirname(profile->file);
	g_autofree char *wanted = wish->image ? g_canonicalize_filename(wish->image, folder) : NULL;
	if (!wanted || g_str_equal(wanted, disk->file) || g_strcmp0(wanted, disk->base) == 0)
		return TRUE;
	return usage(error, "--image", "a profile cannot have a file of this name");
}

char *hvr_new_make(const HvrNewWish *wish, GError **error)
{
	g_autoptr(GString) text = NULL;

	if (!check_wish(wish, error))
		return NULL;
	text = g_string_new(wish->kind->sample);
	set_words(text, wish);
	set_image(text, wish);
	if (wish->card && wish->kind->card)
		set_card(text, wish->card);
	set_values(text, wish);
	if (!check_text(text, wish, error))
		return NULL;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

char *hvr_new_image_word(const char *file, const char *path)
{
	g_autofree char *profile = g_canonicalize_filename(file, NULL);
	g_autofree char *image = g_canonicalize_filename(path, NULL);
	g_autofree char *folder = g_path_get_dirname(profile);
	g_autofree char *there = g_path_get_dirname(image);

	if (g_str_equal(folder, there))
		return g_path_get_basename(image);
	return g_steal_pointer(&image);
}
