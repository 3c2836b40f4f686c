/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A group is the kernel's word that its members reach nobody else. Here is what that word leaves
 * out, and why a group is as large as it is.
 */
#include "launcher/host/isolation.h"

#include <string.h>

#include "launcher/host/cpu.h"
#include "vfio/tree.h"

#define OVERRIDE "pcie_acs_override="

/* "0x00000000000e8000 0x00000000000e8fff direct": as it is, but for the zeros in front */
static char *region_text(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 3);

	if (g_strv_length(words) != 3 || !g_str_equal(words[2], "direct"))
		return NULL;
	return g_strdup_printf("0x%" G_GINT64_MODIFIER "x-0x%" G_GINT64_MODIFIER "x",
			       g_ascii_strtoull(words[0], NULL, 16),
			       g_ascii_strtoull(words[1], NULL, 16));
}

/* AMD's driver itself minds none, and the core does since Linux 6.6. */
static gboolean is_minded(const HvrHost *host)
{
	g_autoptr(GPtrArray) units = hvr_tree_list(host->sys, "class/iommu");

	if (units->len == 0 || !g_str_has_prefix(g_ptr_array_index(units, 0), "ivhd"))
		return TRUE;
	return hvr_kernel_is_at_least(host, 6, 6);
}

char *hvr_isolation_reserved(const HvrHost *host, int group)
{
	g_autofree char *path = g_strdup_printf("kernel/iommu_groups/%d/reserved_regions", group);
	g_autofree char *text = hvr_tree_read(host->sys, path, NULL);

	if (!text)
		return NULL;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i]; i++) {
		char *region = region_text(lines[i]);
		if (region && is_minded(host))
			return region;
		g_free(region);
	}
	return NULL;
}

char *hvr_isolation_pretended(const HvrHost *host)
{
	g_autofree char *word = hvr_kernel_find_argument(host, OVERRIDE);

	if (!word || !word[strlen(OVERRIDE)])
		return NULL;
	return g_steal_pointer(&word);
}

/* By the stable path: "00:1c.0/00.0" is above "00:1c.0/00.0/03.0/00.0". */
gboolean hvr_isolation_is_above(const HvrPciFunction *bridge, const HvrPciFunction *function)
{
	gsize length;

	if (!bridge->path || !function->path)
		return FALSE;
	length = strlen(bridge->path);
	return strncmp(bridge->path, function->path, length) == 0 && function->path[length] == '/';
}

const HvrPciFunction *hvr_isolation_culprit(const HvrInventory *inventory,
					    const HvrPciFunction *function,
					    const HvrPciFunction *other)
{
	const GPtrArray *group = hvr_inventory_group(inventory, function->group);
	const HvrPciFunction *lowest = NULL;

	for (guint i = 0; i < group->len; i++) {
		const HvrPciFunction *member = g_ptr_array_index(group, i);
		if (hvr_isolation_is_above(member, function) &&
		    hvr_isolation_is_above(member, other) &&
		    (!lowest || hvr_isolation_is_above(lowest, member)))
			lowest = member;
	}
	return lowest;
}
