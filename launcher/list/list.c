/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `list` shows is read in two depths. Of every function there is the inventory, which is
 * cheap; the attributes that cost a file each, and who uses it, are only read of those that one
 * asks this program for: accelerators, and whatever is on a VFIO driver.
 */
#include "launcher/list/list.h"

#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "launcher/report/text.h"
#include "launcher/runtime/journal.h"
#include "vfio/devnodes.h"
#include "vfio/fd.h"
#include "vfio/guard.h"
#include "vfio/tree.h"

static void item_free(gpointer data)
{
	HvrListItem *item = data;

	g_free(item->name);
	g_free(item->short_name);
	g_free(item->reset_method);
	g_free(item->link_speed);
	g_free(item->link_width);
	g_free(item->power_state);
	g_free(item->node);
	g_free(item->node_owner);
	hvr_occupancy_clear(&item->occupancy);
	hvr_health_clear(&item->health);
	hvr_passable_clear(&item->passable);
	g_free(item);
}

static gboolean on_vfio(const HvrPciFunction *function)
{
	return function->driver && strstr(function->driver, "vfio");
}

/* What this program is about. */
static gboolean is_ours(const HvrPciFunction *function)
{
	return function->quirk || on_vfio(function);
}

static void read_attributes(const HvrHost *host, HvrListItem *item)
{
	g_autofree char *path = g_strconcat("bus/pci/devices/", item->function->name, NULL);
	g_auto(HvrFd) fd = hvr_open_beneath(host->sys, path, O_PATH | O_DIRECTORY);
	guint64 numa;

	if (fd < 0)
		return;
	item->reset_method = hvr_tree_read_line(fd, "reset_method");
	item->link_speed = hvr_tree_read_line(fd, "current_link_speed");
	item->link_width = hvr_tree_read_line(fd, "current_link_width");
	item->power_state = hvr_tree_read_line(fd, "power_state");
	if (hvr_tree_read_number(fd, "numa_node", 10, &numa) && numa <= G_MAXINT)
		item->numa_node = (int)numa;
}

/* A name, or a number where it has none. */
static char *owner_name(uid_t uid)
{
	const struct passwd *entry = getpwuid(uid);

	if (entry)
		return g_strdup(entry->pw_name);
	return g_strdup_printf("%u", uid);
}

/* The first node that is there: the group's on a VFIO driver, else what the host's driver made. */
static void read_node(const HvrHost *host, HvrListItem *item)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	struct stat st;

	g_ptr_array_add(one, (gpointer)item->function);
	g_autoptr(HvrDevnodes) nodes = hvr_devnodes_find(host, one);
	for (guint i = 0; i < nodes->nodes->len && !item->node; i++) {
		const HvrDevnode *node = g_ptr_array_index(nodes->nodes, i);
		g_auto(HvrFd) fd = hvr_open_beneath(host->dev, node->name, O_PATH | O_NOFOLLOW);
		gboolean for_vms = node->access.kind != HVR_ACCESS_NONE;
		if (for_vms != on_vfio(item->function) || fd < 0 || fstat(fd, &st) < 0)
			continue;
		item->node = g_strconcat("/dev/", node->name, NULL);
		item->node_owner = owner_name(st.st_uid);
		item->node_mode = st.st_mode & 07777;
	}
}

/* Thousands of functions are of a few kinds. @names: vendor and device -> name */
static char *name_of(GHashTable *names, const HvrInventory *inventory,
		     const HvrPciFunction *function)
{
	gpointer key = GUINT_TO_POINTER((guint)function->vendor << 16 | function->device);
	char *name = g_hash_table_lookup(names, key);

	if (!name) {
		name = hvr_inventory_describe(inventory, function);
		g_hash_table_insert(names, key, name);
	}
	return g_strdup(name);
}

static HvrListItem *item_new(GHashTable *names, const HvrInventory *inventory,
			     const HvrPciFunction *function, gboolean chosen)
{
	HvrListItem *item = g_new(HvrListItem, 1);

	*item = (HvrListItem){ .function = function,
			       .chosen = chosen,
			       .name = name_of(names, inventory, function),
			       .numa_node = -1,
			       .occupancy = { .kind = HVR_OCCUPANCY_UNKNOWN } };
	if (function->group >= 0)
		item->group = hvr_inventory_group(inventory, function->group);
	return item;
}

/* Stable paths of all that is above a chosen function. */
static void add_ancestors(GHashTable *wanted, const HvrPciFunction *function)
{
	const char *path = function->path;

	/* From the end backwards: what is above is a path without its last parts. */
	for (gsize n = path ? strlen(path) : 0; n > 0; n--)
		if (path[n] == '/')
			g_hash_table_add(wanted, g_strndup(path, n));
}

/* Stable paths of the functions that belong into the picture around the chosen ones. */
static GHashTable *find_surroundings(const HvrInventory *inventory)
{
	GHashTable *wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const GPtrArray *all = hvr_inventory_functions(inventory);

	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		if (!function->quirk)
			continue;
		const GPtrArray *group = hvr_inventory_group(inventory, function->group);
		add_ancestors(wanted, function);
		for (guint k = 0; k < group->len; k++) {
			const HvrPciFunction *member = g_ptr_array_index(group, k);
			add_ancestors(wanted, member);
			if (member->path)
				g_hash_table_add(wanted, g_strdup(member->path));
		}
	}
	return wanted;
}

static GPtrArray *choose(const HvrInventory *inventory, const HvrListWhat *what)
{
	GPtrArray *items = g_ptr_array_new_with_free_func(item_free);
	const GPtrArray *all = hvr_inventory_functions(inventory);
	g_autoptr(GHashTable) names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	g_autoptr(GHashTable) around = NULL;

	if (what->surround && !what->all)
		around = find_surroundings(inventory);
	for (guint i = 0; i < all->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(all, i);
		gboolean chosen = what->all || function->quirk;
		if (chosen ||
		    (around && function->path && g_hash_table_contains(around, function->path)))
			g_ptr_array_add(items, item_new(names, inventory, function, chosen));
	}
	return items;
}

static void find_uses(const HvrContext *context, const GPtrArray *items)
{
	g_autoptr(GPtrArray) ours = g_ptr_array_new();

	for (guint i = 0; i < items->len; i++) {
		const HvrListItem *item = g_ptr_array_index(items, i);
		if (is_ours(item->function))
			g_ptr_array_add(ours, (gpointer)item->function);
	}
	if (ours->len == 0)
		return;
	g_autoptr(HvrOccupancyFinder) finder = hvr_occupancy_finder_new(context, ours);
	for (guint i = 0; i < items->len; i++) {
		HvrListItem *item = g_ptr_array_index(items, i);
		if (is_ours(item->function))
			hvr_occupancy_find(finder, item->function, &item->occupancy);
	}
}

static void find_health(const HvrContext *context, const GPtrArray *items)
{
	g_autoptr(GPtrArray) holds = hvr_holds_read(context, NULL);

	for (guint i = 0; i < items->len; i++) {
		HvrListItem *item = g_ptr_array_index(items, i);
		item->has_health = is_ours(item->function) || hvr_holds_find(holds, item->function);
		if (item->has_health)
			hvr_health_find(context, holds, item->function, &item->occupancy,
					&item->health);
	}
}

/* The VM of one card, among all that are taken; NULL: no VM has it yet, and any may come. */
typedef struct {
	const GPtrArray *journal;
	const char *vm;
} VmOfCard;

static gboolean vm_has(const HvrPciFunction *other, gconstpointer data)
{
	const VmOfCard *of = data;
	const HvrJournalEntry *entry = hvr_journal_find_card(of->journal, other);

	return !of->vm || (entry && g_strcmp0(entry->vm, of->vm) == 0);
}

/* As they are now: of a card that a VM has, the kernel's own methods are in its journal entry. */
static void find_resets(const HvrContext *context, const HvrInventory *inventory,
			const GPtrArray *items)
{
	g_autoptr(HvrGuard) guard = hvr_guard_look(&context->host);
	g_autoptr(GPtrArray) journal =
		context->runtime < 0 ? g_ptr_array_new() : hvr_journal_list(context->runtime, NULL);

	for (guint i = 0; i < items->len; i++) {
		HvrListItem *item = g_ptr_array_index(items, i);
		const HvrPciFunction *function = item->function;
		if (!item->detailed)
			continue;
		const HvrJournalEntry *entry = hvr_journal_find_card(journal, function);
		const VmOfCard vm = { .journal = journal, .vm = entry ? entry->vm : NULL };
		const HvrResetFacts facts = {
			.function = function,
			.original = entry ? entry->saved->reset_method : item->reset_method,
			.left = item->reset_method,
			.alone = hvr_reset_alone_on_bus(inventory, function),
			.apart = hvr_reset_is_apart(inventory, function, vm_has, &vm),
			.guarded = hvr_guard_keeps(guard, function)
		};
		item->resets = hvr_resets_reach(&facts);
	}
}

/* Who is in the way of @card is told of it. */
static void mark_blockers(GHashTable *by_function, const HvrListItem *card)
{
	const GPtrArray *blockers = card->passable.blockers;

	for (guint i = 0; blockers && i < blockers->len; i++) {
		HvrListItem *item =
			g_hash_table_lookup(by_function, g_ptr_array_index(blockers, i));
		if (item && !item->blocks)
			item->blocks = card->function;
	}
}

gboolean hvr_list_is_culprit(const HvrListItem *item)
{
	const GPtrArray *blockers = item->passable.blockers;

	return item->blocks || (item->judged && item->passable.kind == HVR_PASSABLE_NO &&
				!(blockers && blockers->len));
}

/* The host is looked at only where there is a card to judge. */
static void judge(const HvrContext *context, const HvrInventory *inventory, const GPtrArray *items)
{
	g_autoptr(HvrPassableFinder) finder = NULL;
	g_autoptr(GHashTable) by_function = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < items->len; i++) {
		HvrListItem *item = g_ptr_array_index(items, i);
		g_hash_table_insert(by_function, (gpointer)item->function, item);
	}
	for (guint i = 0; i < items->len; i++) {
		HvrListItem *item = g_ptr_array_index(items, i);
		item->judged = is_ours(item->function);
		if (!item->judged)
			continue;
		if (!finder)
			finder = hvr_passable_finder_new(context, inventory);
		hvr_passable_find(finder, item->function, &item->occupancy, &item->health,
				  &item->passable);
		mark_blockers(by_function, item);
	}
}

GPtrArray *hvr_list_missing(const HvrContext *context, const HvrInventory *inventory)
{
	const GPtrArray *all = hvr_inventory_functions(inventory);
	GPtrArray *holds = hvr_holds_read(context, NULL);

	if (!holds)
		return g_ptr_array_new();
	for (guint i = 0; i < all->len; i++) {
		const HvrHold *hold = hvr_holds_find(holds, g_ptr_array_index(all, i));
		if (hold)
			g_ptr_array_remove(holds, (gpointer)hold);
	}
	return holds;
}

char *hvr_list_missing_text(const GPtrArray *missing)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < missing->len; i++) {
		const HvrHold *hold = g_ptr_array_index(missing, i);
		g_autofree char *what = hvr_hold_describe(hold);
		g_autofree char *line = g_strdup_printf("not there: %s (%s), path %s: %s",
							hold->address ? hold->address : "a card",
							hold->id, hold->path, what);
		g_autofree char *safe = hvr_text_safe(line);
		g_string_append_printf(text, "%s\n", safe);
	}
	return g_string_free(text, FALSE);
}

GPtrArray *hvr_list_read(const HvrContext *context, const HvrInventory *inventory,
			 const HvrListWhat *what)
{
	GPtrArray *items = choose(inventory, what);

	for (guint i = 0; i < items->len; i++) {
		HvrListItem *item = g_ptr_array_index(items, i);
		item->detailed = what->details || is_ours(item->function);
		if (item->detailed)
			read_attributes(&context->host, item);
		if (is_ours(item->function))
			read_node(&context->host, item);
		if (what->surround)
			item->short_name = hvr_inventory_describe_short(inventory, item->function);
	}
	find_resets(context, inventory, items);
	find_uses(context, items);
	find_health(context, items);
	if (what->judge)
		judge(context, inventory, items);
	return items;
}

char *hvr_list_group_text(const HvrListItem *item)
{
	GString *text = g_string_new(NULL);

	if (!item->group)
		return g_string_free(g_string_append(text, "none"), FALSE);
	g_string_append_printf(text, "%d", item->function->group);
	if (item->group->len > 1)
		g_string_append(text, " +");
	for (guint i = 0; i < item->group->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(item->group, i);
		if (member != item->function)
			g_string_append_printf(text, " %s", member->name);
	}
	return g_string_free(text, FALSE);
}
