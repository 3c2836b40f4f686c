/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unbinding a driver does not ask who uses it: a file system dies, a session hangs, a route goes.
 * So who depends on it is looked for before anything is changed:
 *
 *   processes   /proc/PID/fd against the functions' device nodes
 *   mounts      /proc/self/mountinfo by device number, and by source for file systems that show a
 *               number of their own (btrfs); /proc/swaps; holders (LVM, RAID, dm-crypt)
 *   routes      /proc/net/route and ipv6_route against the functions' interfaces, and against the
 *               bridges, bonds and VLANs above them
 *
 * An open descriptor is compared by name first, then by device number: in a container the same
 * node may have another name. The comparison is made with the number of what is open, from
 * statx(2) without synchronising, so that a dead network file system cannot hold us.
 *
 * Not seen: what the kernel itself does with a disk (ZFS, an in-kernel target), and routes outside
 * the main table.
 */
#include <fcntl.h>
#include <linux/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <dirent.h>

#include "vfio/devnodes.h"
#include "vfio/fd.h"
#include "vfio/mounts.h"
#include "vfio/tree.h"
#include "vfio/dependents.h"

/* How the kernel spells a node in the texts of /proc. Nothing is opened by it. */
#define NODE_PREFIX "/dev/"

#define INTERFACE_SIZE 16 /* IFNAMSIZ */

typedef struct {
	const HvrHost *host;
	const HvrDevnodes *nodes;
	GPtrArray *dependents;
} Search;

static void dependent_free(gpointer data)
{
	HvrDependent *dependent = data;

	g_free(dependent->command);
	g_free(dependent->what);
	g_free(dependent);
}

/* Takes ownership of @command and @what, which others have named. In an error, what we advise
 * stands behind a newline. */
static void add_dependent(const Search *search, HvrDependentKind kind, pid_t pid, char *command,
			  char *what)
{
	HvrDependent *dependent = g_new0(HvrDependent, 1);

	dependent->kind = kind;
	dependent->pid = pid;
	dependent->command = command;
	dependent->what = g_strdelimit(what, "\n", ' ');
	g_ptr_array_add(search->dependents, dependent);
}

/* @path: as the kernel spells it, absolute */
static const HvrDevnode *find_named(const HvrDevnodes *nodes, const char *path)
{
	if (!g_str_has_prefix(path, NODE_PREFIX))
		return NULL;
	for (guint i = 0; i < nodes->nodes->len; i++) {
		const HvrDevnode *node = g_ptr_array_index(nodes->nodes, i);

		if (strcmp(path + strlen(NODE_PREFIX), node->name) == 0)
			return node;
	}
	return NULL;
}

static const HvrDevnode *find_numbered(const HvrDevnodes *nodes, gboolean block, guint32 major,
				       guint32 minor)
{
	for (guint i = 0; i < nodes->nodes->len; i++) {
		const HvrDevnode *node = g_ptr_array_index(nodes->nodes, i);

		if (node->has_number && node->block == block && node->major == major &&
		    node->minor == minor)
			return node;
	}
	return NULL;
}

static void on_mount(const HvrMount *mount, gpointer data)
{
	const Search *search = data;
	const HvrDevnode *node = find_numbered(search->nodes, TRUE, mount->major, mount->minor);

	if (!node)
		node = find_named(search->nodes, mount->source);
	if (node)
		add_dependent(search, HVR_DEPENDENT_MOUNT, 0, NULL, g_strdup(mount->place));
}

static void on_swap(const char *path, gpointer data)
{
	const Search *search = data;

	if (find_named(search->nodes, path))
		add_dependent(search, HVR_DEPENDENT_MOUNT, 0, NULL,
			      g_strconcat(path, ", swap", NULL));
}

static void find_holders(const Search *search)
{
	for (guint i = 0; i < search->nodes->nodes->len; i++) {
		const HvrDevnode *node = g_ptr_array_index(search->nodes->nodes, i);

		for (guint j = 0; j < node->holders->len; j++) {
			const char *holder = g_ptr_array_index(node->holders, j);

			add_dependent(
				search, HVR_DEPENDENT_MOUNT, 0, NULL,
				g_strdup_printf(NODE_PREFIX "%s, held by %s", node->name, holder));
		}
	}
}

/* mountinfo names one device of a btrfs; the others are members all the same. */
static void find_btrfs_members(const Search *search)
{
	g_autoptr(GPtrArray) systems = hvr_tree_list(search->host->sys, "fs/btrfs");

	for (guint i = 0; i < systems->len; i++) {
		g_autofree char *path = g_strdup_printf(
			"fs/btrfs/%s/devices", (const char *)g_ptr_array_index(systems, i));
		g_autoptr(GPtrArray) members = hvr_tree_list(search->host->sys, path);

		for (guint j = 0; j < members->len; j++) {
			g_autofree char *node =
				g_strconcat(NODE_PREFIX, g_ptr_array_index(members, j), NULL);

			if (find_named(search->nodes, node))
				add_dependent(search, HVR_DEPENDENT_MOUNT, 0, NULL,
					      g_strconcat(node, ", in a btrfs", NULL));
		}
	}
}

/* Is @name one of our interfaces, or made of one (a bridge, bond or VLAN above it)? */
static gboolean rests_on_interface(const Search *search, const char *name, guint depth)
{
	g_autofree char *path = g_strdup_printf("class/net/%s", name);
	g_autoptr(GPtrArray) entries = NULL;

	for (guint i = 0; i < search->nodes->interfaces->len; i++)
		if (strcmp(g_ptr_array_index(search->nodes->interfaces, i), name) == 0)
			return TRUE;
	if (depth == 0)
		return FALSE;

	entries = hvr_tree_list(search->host->sys, path);
	for (guint i = 0; i < entries->len; i++) {
		const char *entry = g_ptr_array_index(entries, i);

		if (g_str_has_prefix(entry, "lower_") &&
		    rests_on_interface(search, entry + strlen("lower_"), depth - 1))
			return TRUE;
	}
	return FALSE;
}

static void add_route(const Search *search, const char *interface, guint flags)
{
	if (!(flags & RTF_UP) || flags & RTF_REJECT || !rests_on_interface(search, interface, 8))
		return;
	for (guint i = 0; i < search->dependents->len; i++) {
		const HvrDependent *dependent = g_ptr_array_index(search->dependents, i);

		if (dependent->kind == HVR_DEPENDENT_DEFAULT_ROUTE &&
		    strcmp(dependent->what, interface) == 0)
			return;
	}
	add_dependent(search, HVR_DEPENDENT_DEFAULT_ROUTE, 0, NULL, g_strdup(interface));
}

/* "IFACE DESTINATION GATEWAY FLAGS REFCNT USE METRIC MASK ...", hexadecimal but for the three. */
static void on_route(const char *line, gpointer data)
{
	const Search *search = data;
	char interface[INTERFACE_SIZE];
	guint destination, flags, mask;

	if (sscanf(line, "%15s %8x %*8x %4x %*s %*s %*s %8x", interface, &destination, &flags,
		   &mask) == 4 &&
	    destination == 0 && mask == 0)
		add_route(search, interface, flags);
}

/* "DESTINATION PREFIX SOURCE PREFIX GATEWAY METRIC REFCNT USE FLAGS IFACE", all hexadecimal. */
static void on_route6(const char *line, gpointer data)
{
	const Search *search = data;
	char interface[INTERFACE_SIZE], destination[33];
	guint prefix, flags;

	if (sscanf(line, "%32s %2x %*s %*s %*s %*s %*s %*s %8x %15s", destination, &prefix, &flags,
		   interface) == 4 &&
	    prefix == 0 && strspn(destination, "0") == strlen(destination))
		add_route(search, interface, flags);
}

/* Which of our nodes is descriptor @name of a process open on? */
static const HvrDevnode *find_open(const HvrDevnodes *nodes, int dirfd, const char *name)
{
	char target[PATH_MAX];
	gssize length = readlinkat(dirfd, name, target, sizeof(target) - 1);
	struct statx stx;

	if (length <= 0 || *target != '/') /* "socket:[7]", "anon_inode:[eventfd]" */
		return NULL;
	target[length] = '\0';
	const HvrDevnode *node = find_named(nodes, target);
	if (node || statx(dirfd, name, AT_STATX_DONT_SYNC, STATX_TYPE, &stx) < 0)
		return node;
	if (!S_ISBLK(stx.stx_mode) && !S_ISCHR(stx.stx_mode))
		return NULL;
	return find_numbered(nodes, S_ISBLK(stx.stx_mode), stx.stx_rdev_major, stx.stx_rdev_minor);
}

static void add_process(const Search *search, const char *pid, const HvrDevnode *node)
{
	g_autofree char *path = g_strconcat(pid, "/comm", NULL);
	HvrDependentKind kind = HVR_DEPENDENT_VFIO;

	if (node->access.kind == HVR_ACCESS_NONE)
		kind = HVR_DEPENDENT_PROCESS;
	add_dependent(search, kind, (pid_t)g_ascii_strtoll(pid, NULL, 10),
		      hvr_tree_read_line(search->host->proc, path),
		      g_strconcat(NODE_PREFIX, node->name, NULL));
}

static void find_in_process(const Search *search, const char *pid)
{
	g_autofree char *path = g_strconcat(pid, "/fd", NULL);
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	int fd = hvr_open_beneath(search->host->proc, path, O_RDONLY | O_DIRECTORY);
	const struct dirent *entry;

	if (fd < 0)
		return;
	DIR *folder = fdopendir(fd);
	if (!folder) {
		hvr_fd_close(fd);
		return;
	}
	while ((entry = readdir(folder))) {
		const HvrDevnode *node = find_open(search->nodes, fd, entry->d_name);

		if (node && g_hash_table_add(seen, (gpointer)node))
			add_process(search, pid, node);
	}
	closedir(folder);
}

static void find_processes(const Search *search)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(search->host->proc, ".");

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		guint64 pid;

		if (g_ascii_string_to_unsigned(name, 10, 1, G_MAXINT, &pid, NULL) &&
		    (pid_t)pid != getpid())
			find_in_process(search, name);
	}
}

static void find_routes(Search *search)
{
	hvr_tree_each_line(search->host->proc, "net/route", on_route, search);
	hvr_tree_each_line(search->host->proc, "net/ipv6_route", on_route6, search);
}

char *hvr_dependents_route(const HvrHost *host, GPtrArray *interfaces)
{
	HvrDevnodes nodes = { .interfaces = interfaces };
	g_autoptr(GPtrArray) routes = g_ptr_array_new_with_free_func(dependent_free);
	Search search = { .host = host, .nodes = &nodes, .dependents = routes };

	if (interfaces->len)
		find_routes(&search);
	if (routes->len == 0)
		return NULL;
	return g_strdup(((HvrDependent *)g_ptr_array_index(routes, 0))->what);
}

GPtrArray *hvr_dependents_find(const HvrHost *host, const GPtrArray *functions)
{
	g_autoptr(HvrDevnodes) nodes = hvr_devnodes_find(host, functions);
	g_autoptr(GPtrArray) dependents = g_ptr_array_new_with_free_func(dependent_free);
	Search search = { .host = host, .nodes = nodes, .dependents = dependents };

	hvr_mounts_each(host, on_mount, &search);
	hvr_swaps_each(host, on_swap, &search);
	find_holders(&search);
	find_btrfs_members(&search);
	find_routes(&search);
	if (nodes->nodes->len > 0)
		find_processes(&search);
	return g_steal_pointer(&dependents);
}
