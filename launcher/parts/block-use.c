/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel lets anybody who may open a block device write to it, also where a file system of the
 * host is on it, and that of the guest's on the same blocks is the end of both. Who has it is in
 * sysfs: a partition's folder is in its disk's, and what is made of a device is in its holders.
 */
#include "launcher/parts/block-use.h"

#include <string.h>
#include <sys/sysmacros.h>

#include "launcher/report/text.h"
#include "vfio/mounts.h"
#include "vfio/tree.h"

/* Of those who use it these are told, and how many more there are. */
#define MOST_TOLD 3

typedef struct {
	const HvrHost *host;
	GPtrArray *users; /* of char *: harmless for a message */
	gboolean writes;
	/* the device that is looked at */
	const char *folder; /* below /sys */
	char *name;	    /* "sda1" */
	char *node;	    /* "/dev/sda1", as the kernel spells it */
	dev_t number;
} Look;

/* @text: (transfer full): of others' names */
static void add_user(Look *look, gboolean writes, char *text)
{
	g_ptr_array_add(look->users, hvr_text_safe(text));
	look->writes = look->writes || writes;
	g_free(text);
}

/* By its number, or by its name for a file system that shows a number of its own. */
static void on_mount(const HvrMount *mount, gpointer data)
{
	Look *look = data;

	if (makedev(mount->major, mount->minor) == look->number ||
	    g_str_equal(mount->source, look->node))
		add_user(look, !mount->readonly,
			 g_strdup_printf("'%s' is mounted on '%s'", look->node, mount->place));
}

static void on_swap(const char *path, gpointer data)
{
	Look *look = data;

	if (g_str_equal(path, look->node))
		add_user(look, TRUE, g_strdup_printf("'%s' is swap", look->node));
}

/* What it is for people, by what its maker calls it (dm's uuid) or the kernel. [transfer full] */
static char *describe_holder(const Look *look, const char *holder)
{
	static const struct {
		const char *begins, *kind;
	} kinds[] = {
		{ "LVM-", "LVM's" },
		{ "CRYPT-", "the encrypted" },
		{ "mpath-", "multipath's" },
		{ "", "device-mapper's" },
	};
	g_autofree char *base = g_strdup_printf("%s/holders/%s/dm/", look->folder, holder);
	g_autofree char *name_path = g_strconcat(base, "name", NULL);
	g_autofree char *uuid_path = g_strconcat(base, "uuid", NULL);
	g_autofree char *name = hvr_tree_read_line(look->host->sys, name_path);
	g_autofree char *uuid = hvr_tree_read_line(look->host->sys, uuid_path);
	gsize i = 0;

	if (!name)
		return g_strdup(holder);
	while (!g_str_has_prefix(uuid ? uuid : "", kinds[i].begins))
		i++;
	return g_strdup_printf("%s %s (%s)", kinds[i].kind, name, holder);
}

static void find_holders(Look *look)
{
	g_autofree char *folder = g_strconcat(look->folder, "/holders", NULL);
	g_autoptr(GPtrArray) holders = hvr_tree_list(look->host->sys, folder);

	for (guint i = 0; i < holders->len; i++) {
		const char *holder = g_ptr_array_index(holders, i);
		g_autofree char *ro = g_strdup_printf("%s/%s/ro", folder, holder);
		g_autofree char *what = describe_holder(look, holder);
		guint64 readonly;
		gboolean writes =
			!hvr_tree_read_number(look->host->sys, ro, 10, &readonly) || readonly == 0;

		add_user(look, writes, g_strdup_printf("'%s' is part of %s", look->node, what));
	}
}

/* mountinfo names one device of a btrfs; the others are members all the same. */
static void find_btrfs(Look *look)
{
	g_autoptr(GPtrArray) systems = hvr_tree_list(look->host->sys, "fs/btrfs");

	for (guint i = 0; i < systems->len; i++) {
		g_autofree char *member =
			g_strdup_printf("fs/btrfs/%s/devices/%s",
					(const char *)g_ptr_array_index(systems, i), look->name);

		if (hvr_tree_exists(look->host->sys, member))
			add_user(look, TRUE, g_strdup_printf("'%s' is in a btrfs", look->node));
	}
}

static char *folder_of(dev_t device)
{
	return g_strdup_printf("dev/block/%u:%u", major(device), minor(device));
}

/* The kernel has '!' in its names for '/'. [transfer full] */
static char *node_of(const char *name)
{
	return g_strdelimit(g_strconcat("/dev/", name, NULL), "!", '/');
}

static void look_at(Look *look, dev_t device)
{
	g_autofree char *folder = folder_of(device);
	g_autofree char *name = hvr_tree_link_name(look->host->sys, folder);
	guint before = look->users->len;

	if (!name)
		return;
	g_autofree char *node = node_of(name);
	look->folder = folder;
	look->name = name;
	look->node = node;
	look->number = device;
	hvr_mounts_each(look->host, on_mount, look);
	hvr_swaps_each(look->host, on_swap, look);
	find_holders(look);
	if (look->users->len == before)
		find_btrfs(look);
}

/* The number in @folder/dev; 0: there is none */
static dev_t read_number(const HvrHost *host, const char *folder)
{
	g_autofree char *path = g_strconcat(folder, "/dev", NULL);
	g_autofree char *line = hvr_tree_read_line(host->sys, path);
	g_auto(GStrv) parts = line ? g_strsplit(line, ":", 2) : NULL;
	guint64 first, second;

	if (!parts || g_strv_length(parts) != 2 ||
	    !g_ascii_string_to_unsigned(parts[0], 10, 0, G_MAXUINT32, &first, NULL) ||
	    !g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXUINT32, &second, NULL))
		return 0;
	return makedev((guint)first, (guint)second);
}

static gboolean is_partition(const HvrHost *host, const char *folder)
{
	g_autofree char *attribute = g_strconcat(folder, "/partition", NULL);

	return hvr_tree_exists(host->sys, attribute);
}

dev_t hvr_block_whole(const HvrHost *host, dev_t device)
{
	g_autofree char *folder = folder_of(device);
	g_autofree char *above = g_strconcat(folder, "/..", NULL);
	dev_t whole = is_partition(host, folder) ? read_number(host, above) : 0;

	return whole ? whole : device;
}

GArray *hvr_block_partitions(const HvrHost *host, dev_t device)
{
	g_autofree char *folder = folder_of(device);
	g_autoptr(GPtrArray) names = hvr_tree_list(host->sys, folder);
	GArray *numbers = g_array_new(FALSE, FALSE, sizeof(dev_t));

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *part = g_build_filename(folder, g_ptr_array_index(names, i), NULL);
		dev_t number = is_partition(host, part) ? read_number(host, part) : 0;

		if (number)
			g_array_append_val(numbers, number);
	}
	return numbers;
}

static void look_at_partitions(Look *look, dev_t device)
{
	g_autoptr(GArray) numbers = hvr_block_partitions(look->host, device);

	for (guint i = 0; i < numbers->len; i++)
		look_at(look, g_array_index(numbers, dev_t, i));
}

static char *join(const GPtrArray *users)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < MIN(users->len, MOST_TOLD); i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "",
				       (const char *)g_ptr_array_index(users, i));
	if (users->len > MOST_TOLD)
		g_string_append_printf(text, ", and %u more", users->len - MOST_TOLD);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

void hvr_block_use_find(HvrBlockUse *use, const HvrHost *host, dev_t device)
{
	g_autoptr(GPtrArray) users = g_ptr_array_new_with_free_func(g_free);
	dev_t whole = hvr_block_whole(host, device);
	Look look = { .host = host, .users = users };

	look_at(&look, device);
	if (whole != device)
		look_at(&look, whole);
	else
		look_at_partitions(&look, device);
	*use = (HvrBlockUse){ .writes = look.writes };
	if (users->len)
		use->who = join(users);
}

void hvr_block_use_clear(HvrBlockUse *use)
{
	g_clear_pointer(&use->who, g_free);
}

/* Numbers of device-mapper's nodes change; their names do not. */
char *hvr_block_rule(const HvrHost *host, dev_t device, const char *user)
{
	g_autofree char *folder = folder_of(device);
	g_autofree char *name = hvr_tree_link_name(host->sys, folder);
	g_autofree char *mapped_path = g_strconcat(folder, "/dm/name", NULL);
	g_autofree char *mapped = hvr_tree_read_line(host->sys, mapped_path);

	if (mapped)
		return g_strdup_printf("SUBSYSTEM==\"block\", ENV{DM_NAME}==\"%s\", OWNER=\"%s\"",
				       mapped, user);
	if (name)
		return g_strdup_printf("SUBSYSTEM==\"block\", KERNEL==\"%s\", OWNER=\"%s\"", name,
				       user);
	return NULL;
}
