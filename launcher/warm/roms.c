/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/warm/roms.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "launcher/warm/identity.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

/* The rest are key maps, icons, trees of devices for machines that we do not have. */
static gboolean is_rom(const char *name)
{
	return g_str_has_suffix(name, ".bin") || g_str_has_suffix(name, ".rom");
}

/* Links lead from one package's folder to another's. */
static void add_folder(GString *about, const char *path)
{
	g_auto(HvrFd) folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(GPtrArray) names = NULL;

	if (folder < 0)
		return;
	names = hvr_tree_list(folder, ".");
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		struct stat st;
		if (!is_rom(name) || fstatat(folder, name, &st, 0) < 0 || !S_ISREG(st.st_mode))
			continue;
		const HvrImageFile file = hvr_image_file_of(&st);
		g_autofree char *identity = hvr_warm_identity(&file);
		g_autofree char *safe = g_strescape(name, NULL);
		g_string_append_printf(about, "ROM %s: %s\n", safe, identity);
	}
}

void hvr_warm_roms_add(GString *about, const GPtrArray *folders)
{
	for (guint i = 0; i < folders->len; i++)
		add_folder(about, g_ptr_array_index(folders, i));
}
