/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/host/qemu-data.h"

#include "launcher/host/qemu-query.h"
#include "launcher/report/error.h"
#include "launcher/runtime/runtime.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

/* Debian's has three. */
#define MOST_FOLDERS 16

/* NULL: it is no list of them. */
static GPtrArray *parse(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", MOST_FOLDERS + 2);
	g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);

	for (char **line = lines; *line && **line; line++) {
		if (!g_path_is_absolute(*line) || folders->len == MOST_FOLDERS)
			return NULL;
		g_ptr_array_add(folders, g_strdup(*line));
	}
	return folders->len ? g_steal_pointer(&folders) : NULL;
}

/* What is remembered is what it printed. [transfer full] */
static char *name_of(const HvrUser *user, const char *path)
{
	g_autofree char *program = hvr_qemu_identity(user, path);
	g_autofree char *identity = g_strconcat(program ? program : path, "\ndata", NULL);

	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, identity, -1);
}

static GPtrArray *recall(const HvrContext *context, const char *name)
{
	g_autofree char *file = g_build_filename(HVR_QEMU_FOLDER, name, NULL);
	g_autofree char *text = NULL;

	if (context->runtime >= 0)
		text = hvr_tree_read(context->runtime, file, NULL);
	return text ? parse(text) : NULL;
}

/* To fail costs the next start the question again, no more. */
static void note(const HvrContext *context, const char *name, const char *text)
{
	g_auto(HvrFd) folder = -1;

	if (context->runtime >= 0)
		folder = hvr_runtime_open_folder(context->runtime, HVR_QEMU_FOLDER, NULL);
	if (folder < 0 || !hvr_runtime_replace(folder, name, text, NULL))
		g_debug("where QEMU has its data is not remembered");
}

GPtrArray *hvr_qemu_data_folders(const HvrContext *context, const HvrUser *user, const char *path,
				 gboolean remember, GError **error)
{
	static const char *const options[] = { "-L", "help", NULL };
	const HvrQemuQuery query = {
		.context = context, .user = user, .path = path, .options = options
	};
	g_autofree char *name = name_of(user, path);
	GPtrArray *folders = recall(context, name);

	if (folders)
		return folders;
	g_autofree char *text = hvr_qemu_query(&query, error);
	if (!text)
		return NULL;
	folders = parse(text);
	if (!folders)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "%s does not tell where it has its firmware (-L help)", path);
	else if (remember)
		note(context, name, text);
	return folders;
}
