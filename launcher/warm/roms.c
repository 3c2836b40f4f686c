/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/warm/roms.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "launcher/process/asuser.h"
#include "launcher/warm/identity.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

/* The rest are key maps, icons, trees of devices for machines that we do not have. */
static gboolean is_rom(const char *name)
{
	return g_str_has_suffix(name, ".bin") || g_str_has_suffix(name, ".rom");
}

/* Two HvrAsUserStep */
static int open_folder(gpointer data, guint i, int *out_fd)
{
	*out_fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *out_fd < 0 ? errno : 0;
}

typedef struct {
	int folder;
	const GPtrArray *names;
} Roms;

/* Links lead from one package's folder to another's. */
static int find_rom(gpointer data, guint i, int *out_fd)
{
	const Roms *roms = data;

	*out_fd = openat(roms->folder, g_ptr_array_index(roms->names, i), O_PATH | O_CLOEXEC);
	return *out_fd < 0 ? errno : 0;
}

static void add_rom(GString *about, const char *name, int rom)
{
	g_auto(HvrFd) fd = rom;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	const HvrImageFile file = hvr_image_file_of(&st);
	g_autofree char *identity = hvr_warm_identity(&file);
	g_autofree char *safe = g_strescape(name, NULL);
	g_string_append_printf(about, "ROM %s: %s\n", safe, identity);
}

/* As the VM's user, as whom QEMU opens them: its word leads root nowhere. */
static void add_folder(GString *about, const HvrUser *user, const char *path)
{
	const HvrAsUser open_it = {
		.user = user, .step = open_folder, .data = (gpointer)path, .keep = -1
	};
	HvrAsUserResult opened;

	hvr_as_user(&open_it, &opened, 1);
	g_auto(HvrFd) folder = opened.fd;
	if (folder < 0)
		return;
	g_autoptr(GPtrArray) names = hvr_tree_list(folder, ".");
	for (guint i = names->len; i > 0; i--)
		if (!is_rom(g_ptr_array_index(names, i - 1)))
			g_ptr_array_remove_index(names, i - 1);
	if (!names->len)
		return;
	g_autofree HvrAsUserResult *found = g_new0(HvrAsUserResult, names->len);
	Roms roms = { .folder = folder, .names = names };
	const HvrAsUser find_all = {
		.user = user, .step = find_rom, .data = &roms, .keep = folder
	};
	hvr_as_user(&find_all, found, names->len);
	for (guint i = 0; i < names->len; i++)
		add_rom(about, g_ptr_array_index(names, i), found[i].fd);
}

void hvr_warm_roms_add(GString *about, const HvrUser *user, const GPtrArray *folders)
{
	for (guint i = 0; i < folders->len; i++)
		add_folder(about, user, g_ptr_array_index(folders, i));
}
