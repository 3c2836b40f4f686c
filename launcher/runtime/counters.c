/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/runtime/counters.h"

#include <string.h>

#include "launcher/runtime/lasting.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"

#define FILE_NAME "counters"
/* Of HVR_COUNTERS_CARDS_MAX cards, with room. */
#define FILE_MAX (256 * 1024)

static const char *const names[HVR_N_COUNTERS] = {
	[HVR_COUNTER_USES] = "uses", [HVR_COUNTER_FAILURES] = "failures"
};

static void counters_free(gpointer data)
{
	HvrCounters *counters = data;

	g_free(counters->path);
	g_free(counters->id);
	g_free(counters);
}

/* What cannot be read begins anew: a count is worth less than a run. */
static GKeyFile *read_file(int folder)
{
	GKeyFile *file = g_key_file_new();
	g_autofree char *text = hvr_lasting_read(folder, FILE_NAME, FILE_MAX);

	if (text && !g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, NULL))
		g_debug("the counters cannot be read");
	return file;
}

GPtrArray *hvr_counters_read(const HvrContext *context)
{
	GPtrArray *all = g_ptr_array_new_with_free_func(counters_free);
	g_auto(HvrFd) folder = hvr_lasting_open(context, NULL, FALSE, NULL);

	if (folder < 0)
		return all;
	g_autoptr(GKeyFile) file = read_file(folder);
	g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
	for (char **group = groups; *group; group++) {
		const char *at = strrchr(*group, '@');
		if (!at)
			continue;
		HvrCounters *counters = g_new0(HvrCounters, 1);
		counters->path = g_strndup(*group, (gsize)(at - *group));
		counters->id = g_strdup(at + 1);
		for (guint i = 0; i < HVR_N_COUNTERS; i++)
			counters->values[i] = g_key_file_get_uint64(file, *group, names[i], NULL);
		g_ptr_array_add(all, counters);
	}
	return all;
}

gboolean hvr_counters_add(const HvrContext *context, const char *path, const char *id,
			  HvrCounter counter, GError **error)
{
	g_autofree char *group = g_strconcat(path, "@", id, NULL);
	g_auto(HvrFd) folder = hvr_lasting_open(context, NULL, TRUE, error);
	g_auto(HvrFd) lock = -1;
	gsize n = 0;

	if (folder < 0)
		return FALSE;
	lock = hvr_lasting_lock(folder, error);
	if (lock < 0)
		return FALSE;
	g_autoptr(GKeyFile) file = read_file(folder);
	g_auto(GStrv) groups = g_key_file_get_groups(file, &n);
	if (n >= HVR_COUNTERS_CARDS_MAX && !g_key_file_has_group(file, group))
		return TRUE;
	guint64 value = g_key_file_get_uint64(file, group, names[counter], NULL);
	g_key_file_set_uint64(file, group, names[counter], value + 1);
	g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
	return hvr_runtime_replace_mode(folder, FILE_NAME, text, 0644, error);
}
