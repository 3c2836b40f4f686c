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
#include "vfio/sysfs.h"

#define NODES "devices/system/node/"
#define CPUS  "devices/system/cpu/"
#define KIB   G_GUINT64_CONSTANT(1024)

static gboolean unavailable(GError **error, char *message)
{
	g_set_error_literal(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE, message);
	g_free(message);
	return FALSE;
}

static gboolean check_node(const HvrHost *host, int node, GError **error)
{
	g_autofree char *path = g_strdup_printf(NODES "node%d", node);

	if (node < 0 || hvr_sysfs_exists(host->sys, path))
		return TRUE;
	return unavailable(error, g_strdup_printf("[memory] node: this host has no node %d", node));
}

/* Free pages of @page_kib, of one node where the profile names one. */
static guint64 count_free(const HvrHost *host, int node, guint64 page_kib)
{
	g_autofree char *folder =
		node >= 0 ? g_strdup_printf(NODES "node%d/", node) : g_strdup("kernel/mm/");
	g_autofree char *path = g_strdup_printf(
		"%shugepages/hugepages-%" G_GUINT64_FORMAT "kB/free_hugepages", folder, page_kib);
	guint64 n = 0;

	return hvr_sysfs_read_number(host->sys, path, 10, &n) ? n : 0;
}

static gboolean check_hugepages(const HvrHost *host, const HvrProfile *profile, GError **error)
{
	guint64 page = hvr_profile_page_size(&profile->memory);
	guint64 wanted = page ? profile->memory_bytes / page : 0;
	guint64 available = page ? count_free(host, profile->memory.node, page / KIB) : 0;
	gboolean huge = profile->memory.hugepages == HVR_PAGES_1G;

	if (available >= wanted)
		return TRUE;
	unavailable(error, g_strdup_printf("[memory] hugepages: the VM needs %" G_GUINT64_FORMAT
					   " pages of %s, and %" G_GUINT64_FORMAT " are free",
					   wanted, huge ? "1 GiB" : "2 MiB", available));
	if (huge)
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

/* Is @cpu within "0-3,8"? A host that does not say has them all. */
static gboolean is_online(const char *online, guint cpu)
{
	g_auto(GStrv) ranges = g_strsplit(online ? online : "0-1023", ",", -1);

	for (gsize i = 0; ranges[i]; i++) {
		g_auto(GStrv) ends = g_strsplit(ranges[i], "-", 2);
		guint64 first = 0, last = 0;

		if (!ends[0] ||
		    !g_ascii_string_to_unsigned(ends[0], 10, 0, G_MAXUINT, &first, NULL) ||
		    !g_ascii_string_to_unsigned(ends[1] ? ends[1] : ends[0], 10, 0, G_MAXUINT,
						&last, NULL))
			continue;
		if (cpu >= first && cpu <= last)
			return TRUE;
	}
	return FALSE;
}

static gboolean check_cpus(const HvrHost *host, const HvrProfile *profile, GError **error)
{
	g_autofree char *online = hvr_sysfs_read_line(host->sys, CPUS "online");
	const GArray *pin = profile->processor.pin;

	for (guint i = 0; pin && i < pin->len; i++) {
		guint cpu = g_array_index(pin, guint, i);

		if (is_online(online, cpu))
			continue;
		unavailable(error, g_strdup_printf("[cpu] pin: CPU %u is not there", cpu));
		hvr_error_hint(error, "this host has CPUs %s", online);
		return FALSE;
	}
	return TRUE;
}

gboolean hvr_placement_check(const HvrContext *context, const HvrProfile *profile,
			     const HvrParts *parts, GError **error)
{
	const HvrHost *host = &context->host;

	return check_node(host, profile->memory.node, error) &&
	       check_hugepages(host, profile, error) && check_cpus(host, profile, error);
}

gboolean hvr_placement_node(const HvrHost *host, const HvrProfile *profile,
			    const HvrPciAddress *card, guint *out_node)
{
	g_autofree char *nodes = hvr_sysfs_read_line(host->sys, NODES "online");
	char name[HVR_PCI_ADDRESS_SIZE];
	guint64 node = 0;

	/* a list of more than one: "0-1", "0,2" */
	if (!card || profile->memory.node != HVR_NODE_AUTO || !nodes ||
	    g_ascii_string_to_unsigned(nodes, 10, 0, G_MAXUINT, &node, NULL))
		return FALSE;
	g_autofree char *path =
		g_strdup_printf("bus/pci/devices/%s/numa_node", hvr_pci_address_format(card, name));
	/* -1 where the firmware does not say */
	if (!hvr_sysfs_read_number(host->sys, path, 10, &node) || node > HVR_NODE_MAX)
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
