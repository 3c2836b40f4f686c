/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Below a function's folder in sysfs hangs all that its driver has made of it:
 *
 *   hailo_chardev/hailo0/{dev,uevent}                a character device
 *   nvme/nvme0/nvme0n1/nvme0n1p1/{dev,uevent}        block devices, and who holds them
 *   net/eth0/                                        a network interface
 *
 * One thing hangs elsewhere: a disk with several ways to it, of which this function is one, is
 * below devices/virtual/nvme-subsystem, in a folder with links to all its controllers.
 *
 * The folder is walked without following links, which would lead to parents, drivers and back.
 * Below a bridge are functions of their own, which are no part of it. Below an endpoint there are
 * functions only where its driver has made them (VMD): those go when the driver goes, so they
 * count.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "vfio/access.h"
#include "vfio/devnodes.h"
#include "vfio/fd.h"
#include "vfio/tree.h"

/* A disk behind USB hubs behind VMD is 15 folders deep. */
#define DEPTH_MAX 24

typedef struct {
	HvrDevnodes *nodes;
	GPtrArray *controllers; /* names of NVMe controllers */
	gboolean skip_functions;
} Walk;

static void node_free(gpointer data)
{
	HvrDevnode *node = data;

	g_free(node->name);
	g_ptr_array_unref(node->holders);
	g_free(node);
}

/* "240:0" */
static void read_device_number(int dirfd, const char *path, HvrDevnode *node)
{
	g_autofree char *text = hvr_tree_read_line(dirfd, path);
	guint64 major, minor;

	if (!text)
		return;
	g_auto(GStrv) parts = g_strsplit(text, ":", 2);
	if (g_strv_length(parts) != 2 ||
	    !g_ascii_string_to_unsigned(parts[0], 10, 0, G_MAXUINT32, &major, NULL) ||
	    !g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXUINT32, &minor, NULL))
		return;
	node->has_number = TRUE;
	node->major = (guint32)major;
	node->minor = (guint32)minor;
}

/* Returns: (transfer full): what comes after "DEVNAME=", or NULL */
static char *read_device_name(int dirfd)
{
	g_autofree char *text = hvr_tree_read(dirfd, "uevent", NULL);

	if (!text)
		return NULL;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, "DEVNAME="))
			return g_strdup(*line + strlen("DEVNAME="));
	return NULL;
}

static void add_node(HvrDevnodes *nodes, int dirfd)
{
	char *name = read_device_name(dirfd);
	g_autofree char *subsystem = NULL;
	HvrDevnode *node;

	if (!name)
		return;
	subsystem = hvr_tree_link_name(dirfd, "subsystem");
	node = g_new0(HvrDevnode, 1);
	node->name = name;
	node->access = hvr_access_parse(name);
	node->block = g_strcmp0(subsystem, "block") == 0;
	node->holders = hvr_tree_list(dirfd, "holders");
	read_device_number(dirfd, "dev", node);
	g_ptr_array_add(nodes->nodes, node);
}

static void add_access(HvrDevnodes *nodes, const HvrHost *host, HvrAccess access)
{
	g_autofree char *name = hvr_access_name(access);
	g_autofree char *number =
		g_strdup_printf("class/%s/%s/dev", hvr_access_subsystem(access), name);
	HvrDevnode *node = g_new0(HvrDevnode, 1);

	node->name = hvr_access_path(access);
	node->access = access;
	node->holders = g_ptr_array_new();
	read_device_number(host->sys, number, node);
	g_ptr_array_add(nodes->nodes, node);
}

/* A folder of the walk? */
static gboolean enters(const Walk *walk, int dirfd, const struct dirent *entry)
{
	HvrPciAddress address;
	struct stat st;

	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return FALSE;
	if (walk->skip_functions && hvr_pci_address_parse(entry->d_name, &address))
		return FALSE;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Takes ownership of @fd, which is open on the folder @name. */
static void walk_folder(const Walk *walk, int fd, const char *name, guint depth)
{
	const struct dirent *entry;
	DIR *folder = fdopendir(fd);

	if (!folder) {
		hvr_fd_close(fd);
		return;
	}
	while ((entry = readdir(folder))) {
		int child;

		if (strcmp(entry->d_name, "dev") == 0)
			add_node(walk->nodes, fd);
		if (depth == 0 || !enters(walk, fd, entry))
			continue;
		if (strcmp(name, "net") == 0)
			g_ptr_array_add(walk->nodes->interfaces, g_strdup(entry->d_name));
		if (strcmp(name, "nvme") == 0)
			g_ptr_array_add(walk->controllers, g_strdup(entry->d_name));
		child = hvr_open_beneath(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (child >= 0)
			walk_folder(walk, child, entry->d_name, depth - 1);
	}
	closedir(folder);
}

static void walk_path(const Walk *walk, const HvrHost *host, const char *path)
{
	g_autofree char *name = g_path_get_basename(path);
	int fd = hvr_open_beneath(host->sys, path, O_RDONLY | O_DIRECTORY);

	if (fd >= 0)
		walk_folder(walk, fd, name, DEPTH_MAX);
}

/* Is one of our controllers a way to this NVMe subsystem? */
static gboolean leads_to(const Walk *walk, const HvrHost *host, const char *subsystem)
{
	for (guint i = 0; i < walk->controllers->len; i++) {
		g_autofree char *link =
			g_strconcat(subsystem, "/", g_ptr_array_index(walk->controllers, i), NULL);

		if (hvr_tree_exists(host->sys, link))
			return TRUE;
	}
	return FALSE;
}

static void add_multipath_disks(const Walk *walk, const HvrHost *host)
{
	g_autoptr(GPtrArray) names = NULL;

	if (walk->controllers->len == 0)
		return;
	names = hvr_tree_list(host->sys, "class/nvme-subsystem");
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *subsystem =
			g_strconcat("class/nvme-subsystem/", g_ptr_array_index(names, i), NULL);

		if (leads_to(walk, host, subsystem))
			walk_path(walk, host, subsystem);
	}
}

/* Is an earlier one of @functions in the same group? */
static gboolean group_seen(const GPtrArray *functions, guint end, int group)
{
	for (guint i = 0; i < end; i++) {
		const HvrPciFunction *function = g_ptr_array_index(functions, i);

		if (function->group == group)
			return TRUE;
	}
	return FALSE;
}

static int compare_nodes(gconstpointer a, gconstpointer b)
{
	const HvrDevnode *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

HvrDevnodes *hvr_devnodes_find(const HvrHost *host, const GPtrArray *functions)
{
	HvrDevnodes *nodes = g_new0(HvrDevnodes, 1);

	nodes->nodes = g_ptr_array_new_with_free_func(node_free);
	nodes->interfaces = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < functions->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(functions, i);
		g_autofree char *path = g_strdup_printf("bus/pci/devices/%s", function->name);
		g_autoptr(GPtrArray) controllers = g_ptr_array_new_with_free_func(g_free);
		const Walk walk = { .nodes = nodes,
				    .controllers = controllers,
				    .skip_functions = hvr_pci_function_is_bridge(function) };

		walk_path(&walk, host, path);
		add_multipath_disks(&walk, host);
		if (function->group >= 0 && !group_seen(functions, i, function->group))
			add_access(nodes, host, hvr_access_of(function));
	}
	g_ptr_array_sort(nodes->nodes, compare_nodes);
	g_ptr_array_sort(nodes->interfaces, compare_names);
	return nodes;
}

void hvr_devnodes_free(HvrDevnodes *nodes)
{
	if (!nodes)
		return;

	g_ptr_array_unref(nodes->nodes);
	g_ptr_array_unref(nodes->interfaces);
	g_free(nodes);
}
