/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A manifest is lines of "WORD VALUE", the first says which version of it this is, the last that
 * nothing is missing. What is not exactly so is none: a state costs a boot, a wrong one a day.
 */
#include "launcher/warm/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "launcher/runtime/lasting.h"
#include "launcher/warm/identity.h"
#include "vfio/tree.h"

#define FIRST	   "hailo-vm-run warm state 3"
#define LAST	   "end"
#define MOST_BYTES (64 * 1024)
#define MAC_LENGTH 17
#define NO_MACS	   "none"
#define KEY_LENGTH 64 /* SHA-256 as hexadecimal digits */

static const char *const agents[] = {
	[HVR_WARM_AGENT_DEAF] = "deaf",
	[HVR_WARM_AGENT_HEARS] = "hears",
	[HVR_WARM_AGENT_STAYS] = "stays",
};

HvrWarmManifest *hvr_warm_manifest_new(void)
{
	HvrWarmManifest *manifest = g_new0(HvrWarmManifest, 1);

	manifest->macs = g_ptr_array_new_with_free_func(g_free);
	manifest->names = g_ptr_array_new_with_free_func(g_free);
	manifest->ids = g_ptr_array_new_with_free_func(g_free);
	return manifest;
}

void hvr_warm_manifest_free(HvrWarmManifest *manifest)
{
	if (!manifest)
		return;
	g_free(manifest->key);
	g_free(manifest->vm);
	g_free(manifest->profile);
	g_free(manifest->name);
	g_ptr_array_unref(manifest->macs);
	g_ptr_array_unref(manifest->names);
	g_ptr_array_unref(manifest->ids);
	g_free(manifest);
}

static gboolean look(int folder, const char *name, HvrImageFile *out_file)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return FALSE;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return FALSE;
	}
	*out_file = hvr_image_file_of(&st);
	return TRUE;
}

gboolean hvr_warm_manifest_add_files(HvrWarmManifest *manifest, int folder)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(folder, ".");

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		HvrImageFile file;

		if (!look(folder, name, &file))
			return FALSE;
		g_ptr_array_add(manifest->names, g_strdup(name));
		g_ptr_array_add(manifest->ids, hvr_warm_identity(&file));
	}
	return TRUE;
}

char *hvr_warm_manifest_to_text(const HvrWarmManifest *manifest)
{
	GString *text = g_string_new(FIRST "\n");

	g_string_append_printf(text,
			       "key %s\nvm %s\nname %s\nprofile %s\nuid %u\nmade %" G_GINT64_FORMAT
			       "\nagent %s\n",
			       manifest->key, manifest->vm, manifest->name, manifest->profile,
			       manifest->uid, manifest->made_s, agents[manifest->agent]);
	for (guint i = 0; i < manifest->macs->len; i++)
		g_string_append_printf(text, "%s%s", i ? " " : "macs ",
				       (const char *)manifest->macs->pdata[i]);
	g_string_append(text, manifest->macs->len ? "\n" : "macs " NO_MACS "\n");
	for (guint i = 0; i < manifest->names->len; i++)
		g_string_append_printf(text, "file %s %s\n",
				       (const char *)manifest->names->pdata[i],
				       (const char *)manifest->ids->pdata[i]);
	g_string_append(text, LAST "\n");
	return g_string_free(text, FALSE);
}

/* What stands behind "WORD " in *@line, which then is the next one; NULL: another word. */
static const char *take(char ***line, const char *word)
{
	gsize length = strlen(word);
	const char *this = **line;

	if (!this || strncmp(this, word, length) != 0 || this[length] != ' ' || !this[length + 1])
		return NULL;
	(*line)++;
	return this + length + 1;
}

static gboolean take_number(char ***line, const char *word, guint64 most, guint64 *out_number)
{
	const char *value = take(line, word);

	return value && g_ascii_string_to_unsigned(value, 10, 0, most, out_number, NULL);
}

static gboolean take_agent(char ***line, HvrWarmAgent *out_agent)
{
	const char *value = take(line, "agent");

	for (guint i = 0; i < G_N_ELEMENTS(agents); i++) {
		*out_agent = i;
		if (g_strcmp0(value, agents[i]) == 0)
			return TRUE;
	}
	return FALSE;
}

/* They come into a script for a guest. */
static gboolean take_macs(char ***line, HvrWarmManifest *manifest)
{
	const char *value = take(line, "macs");

	if (!value)
		return FALSE;
	g_auto(GStrv) macs = g_strsplit(g_str_equal(value, NO_MACS) ? "" : value, " ", -1);
	for (char **mac = macs; *mac; mac++) {
		if (strlen(*mac) != MAC_LENGTH || strspn(*mac, "0123456789abcdef:") != MAC_LENGTH)
			return FALSE;
		g_ptr_array_add(manifest->macs, g_strdup(*mac));
	}
	return TRUE;
}

static gboolean take_files(char ***line, HvrWarmManifest *manifest)
{
	const char *file;

	while ((file = take(line, "file"))) {
		const char *blank = strchr(file, ' ');
		if (!blank || blank == file || !blank[1])
			return FALSE;
		g_ptr_array_add(manifest->names, g_strndup(file, (gsize)(blank - file)));
		g_ptr_array_add(manifest->ids, g_strdup(blank + 1));
	}
	return manifest->names->len > 0;
}

static gboolean is_key(const char *text)
{
	return text && strlen(text) == KEY_LENGTH && strspn(text, "0123456789abcdef") == KEY_LENGTH;
}

static gboolean parse(char **line, HvrWarmManifest *manifest)
{
	guint64 uid = 0, made = 0;

	if (g_strcmp0(*line, FIRST) != 0)
		return FALSE;
	line++;
	manifest->key = g_strdup(take(&line, "key"));
	manifest->vm = g_strdup(take(&line, "vm"));
	manifest->name = g_strdup(take(&line, "name"));
	manifest->profile = g_strdup(take(&line, "profile"));
	if (!is_key(manifest->key) || !manifest->vm || !manifest->name || !manifest->profile ||
	    !take_number(&line, "uid", G_MAXUINT, &uid) ||
	    !take_number(&line, "made", G_MAXINT64, &made) ||
	    !take_agent(&line, &manifest->agent) || !take_macs(&line, manifest) ||
	    !take_files(&line, manifest))
		return FALSE;
	manifest->uid = (guint)uid;
	manifest->made_s = (gint64)made;
	/* with its newline, behind which is nothing */
	return g_strcmp0(line[0], LAST) == 0 && g_strcmp0(line[1], "") == 0 && !line[2];
}

HvrWarmManifest *hvr_warm_manifest_read(int folder)
{
	g_autofree char *text = hvr_lasting_read(folder, HVR_WARM_MANIFEST, MOST_BYTES);
	g_autoptr(HvrWarmManifest) manifest = hvr_warm_manifest_new();

	if (!text)
		return NULL;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	return parse(lines, manifest) ? g_steal_pointer(&manifest) : NULL;
}

const char *hvr_warm_manifest_check(const HvrWarmManifest *manifest, int folder, guint uid)
{
	for (guint i = 0; i < manifest->names->len; i++) {
		const char *name = g_ptr_array_index(manifest->names, i);
		HvrImageFile file;

		if (!look(folder, name, &file) || file.uid != uid || (file.mode & 077) != 0)
			return name;
		g_autofree char *now = hvr_warm_identity(&file);
		if (!g_str_equal(now, g_ptr_array_index(manifest->ids, i)))
			return name;
	}
	return NULL;
}
