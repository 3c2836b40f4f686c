/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A card is wired to one processor, and memory of another one is farther from it. On a host with
 * several nodes the VM's memory is therefore taken from the card's, preferably: what the kernel
 * cannot place there it places elsewhere. Only a node that the profile names is binding, since
 * there QEMU fails, or worse is killed, when its memory does not suffice.
 *
 * Huge pages are counted before, since QEMU's own message for too few of them is "Cannot allocate
 * memory". Somebody may take them in between: then that message is what remains.
 */
#include "launcher/parts/placement.h"

#include "launcher/report/error.h"
#include "vfio/tree.h"

#define NODES "devices/system/node/"
#define CPUS  "devices/system/cpu/"
#define KIB   G_GUINT64_CONSTANT(1024)

/* Free pages of @page_kib, of one node where the profile names one. */
static guint64 count_free(const HvrHost *host, int node, guint64 page_kib)
{
	g_autoptr(GString) path = g_string_new("kernel/mm/");
	guint64 n = 0;

	if (node >= 0)
		g_string_printf(path, NODES "node%d/", node);
	g_string_append_printf(path, "hugepages/hugepages-%" G_GUINT64_FORMAT "kB/free_hugepages",
			       page_kib);
	if (!hvr_tree_read_number(host->sys, path->str, 10, &n))
		return 0;
	return n;
}

static gboolean check_hugepages(const HvrHost *host, const HvrProfile *profile, GError **error)
{
	guint64 page = hvr_profile_page_size(&profile->memory);
	const char *size = "2 MiB";

	if (page == 0)
		return TRUE;
	guint64 wanted = profile->memory_bytes / page;
	guint64 available = count_free(host, profile->memory.node, page / KIB);
	if (available >= wanted)
		return TRUE;
	if (profile->memory.hugepages == HVR_PAGES_1G)
		size = "1 GiB";
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[memory] hugepages: the VM needs %" G_GUINT64_FORMAT
		    " pages of %s, and %" G_GUINT64_FORMAT " are free",
		    wanted, size, available);
	if (profile->memory.hugepages == HVR_PAGES_1G)
		hvr_error_hint(error,
			       "boot the host with hugepagesz=1G hugepages=%" G_GUINT64_FORMAT,
			       wanted);
	else
		hvr_error_hint(error,
			       "sysctl vm.nr_hugepages=%" G_GUINT64_FORMAT
			       " where the host uses none yet",
			       wanted);
	return FALSE;
}

/* Is @cpu within "0-3,8"? */
static gboolean is_online(const char *online, guint cpu)
{
	g_auto(GStrv) ranges = g_strsplit(online, ",", -1);

	for (gsize i = 0; ranges[i]; i++) {
		g_auto(GStrv) ends = g_strsplit(ranges[i], "-", 2);
		guint64 first = 0, last = 0;

		if (!ends[0] ||
		    !g_ascii_string_to_unsigned(ends[0], 10, 0, G_MAXUINT, &first, NULL))
			continue;
		last = first;
		if (ends[1] && !g_ascii_string_to_unsigned(ends[1], 10, 0, G_MAXUINT, &last, NULL))
			continue;
		if (cpu >= first && cpu <= last)
			return TRUE;
	}
	return FALSE;
}

static gboolean check_cpus(const HvrHost *host, const HvrProfile *profile, GError **error)
{
	g_autofree char *online = hvr_tree_read_line(host->sys, CPUS "online");
	const GArray *pin = profile->processor.pin;

	/* a host that does not say has them all */
	for (guint i = 0; pin && online && i < pin->len; i++) {
		guint cpu = g_array_index(pin, guint, i);

		if (is_online(online, cpu))
			continue;
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "[cpu] pin: CPU %u is not there", cpu);
		hvr_error_hint(error, "this host has CPUs %s", online);
		return FALSE;
	}
	return TRUE;
}

gboolean hvr_placement_check(const HvrContext *context, const HvrProfile *profile,
			     const HvrParts *parts, GError **error)
{
	const HvrHost *host = &context->host;
	int node = profile->memory.node;
	g_autofree char *path = g_strdup_printf(NODES "node%d", node);

	if (node >= 0 && !hvr_tree_exists(host->sys, path)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "[memory] node: this host has no node %d", node);
		return FALSE;
	}
	return check_hugepages(host, profile, error) && check_cpus(host, profile, error);
}

gboolean hvr_placement_node(const HvrHost *host, const HvrProfile *profile,
			    const HvrPciAddress *card, guint *out_node)
{
	g_autofree char *nodes = hvr_tree_read_line(host->sys, NODES "online");
	char name[HVR_PCI_ADDRESS_SIZE];
	guint64 node = 0;

	/* a list of more than one: "0-1", "0,2" */
	if (!card || profile->memory.node != HVR_NODE_AUTO || !nodes ||
	    g_ascii_string_to_unsigned(nodes, 10, 0, G_MAXUINT, &node, NULL))
		return FALSE;
	g_autofree char *path =
		g_strdup_printf("bus/pci/devices/%s/numa_node", hvr_pci_address_format(card, name));
	/* -1 where the firmware does not say */
	if (!hvr_tree_read_number(host->sys, path, 10, &node) || node > HVR_NODE_MAX)
		return FALSE;
	*out_node = (guint)node;
	return TRUE;
}

gboolean hvr_placement_cpus(const HvrProfile *profile, cpu_set_t *out_set)
{
	const GArray *pin = profile->processor.pin;

	if (!pin)
		return FALSE;
	CPU_ZERO(out_set);
	for (guint i = 0; i < pin->len; i++)
		CPU_SET(g_array_index(pin, guint, i), out_set);
	return TRUE;
}
