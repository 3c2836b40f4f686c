/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A card is wired to one processor, and memory of another one is farther from it. On a host with
 * several nodes the VM's memory is therefore taken from the card's, preferably: what the kernel
 * cannot place there it places elsewhere. Only a node that the profile names is binding, since
 * there QEMU fails, or worse is killed, when its memory does not suffice.
 */
#include "launcher/parts/placement.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/report/error.h"
#include "vfio/tree.h"

#define NODES "devices/system/node/"
#define CPUS  "devices/system/cpu/"
#define KIB   G_GUINT64_CONSTANT(1024)
#define TOTAL " MemTotal:"

/* In a node's meminfo a line is "Node 0 MemTotal:  16303020 kB". */
static gboolean read_node_total(const HvrHost *host, int node, guint64 *out_bytes)
{
	g_autofree char *path = g_strdup_printf(NODES "node%d/meminfo", node);
	g_autofree char *text = hvr_tree_read(host->sys, path, NULL);
	const char *total = text ? strstr(text, TOTAL) : NULL;

	if (!total)
		return FALSE;
	*out_bytes = g_ascii_strtoull(total + strlen(TOTAL), NULL, 10) * KIB;
	return TRUE;
}

static gboolean check_node(const HvrHost *host, const HvrProfile *profile, GError **error)
{
	int node = profile->memory.node;
	g_autofree char *path = g_strdup_printf(NODES "node%d", node);
	guint64 total = 0;

	if (node < 0)
		return TRUE;
	if (!hvr_tree_exists(host->sys, path)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "[memory] node: this host has no node %d", node);
		return FALSE;
	}
	if (!read_node_total(host, node, &total) || total >= profile->memory_bytes)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[memory] node: node %d has %" G_GUINT64_FORMAT
		    " MiB, and the VM needs %" G_GUINT64_FORMAT " of it",
		    node, total / KIB / KIB, profile->memory_bytes / KIB / KIB);
	hvr_error_hint(error, "set node = auto, which takes from others what one has not, or a "
			      "smaller [vm] memory");
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

/* One of the lists of [cpu]. */
typedef struct {
	const char *key;
	char *what; /* whose they are, behind "none of" */
	const GArray *cpus;
} CpuList;

static void list_clear(gpointer data)
{
	g_free(((CpuList *)data)->what);
}

static void add_list(GArray *lists, const char *key, char *what, const GArray *cpus)
{
	const CpuList list = { key, what, cpus };

	g_array_append_val(lists, list);
}

/* [transfer full] of CpuList: all that a profile has */
static GArray *all_lists(const HvrProfileProcessor *processor)
{
	GArray *lists = g_array_new(FALSE, FALSE, sizeof(CpuList));

	g_array_set_clear_func(lists, list_clear);
	if (processor->pin)
		add_list(lists, "pin", g_strdup("these CPUs"), processor->pin);
	for (guint i = 0; processor->pins && i < processor->pins->len; i++) {
		const HvrVcpuPin *pin = g_ptr_array_index(processor->pins, i);
		add_list(lists, "pin",
			 g_strdup_printf("the CPUs that virtual CPU %u may have", pin->vcpu),
			 pin->cpus);
	}
	if (processor->emulator)
		add_list(lists, "emulator-pin", g_strdup("these CPUs"), processor->emulator);
	return lists;
}

static gboolean check_online(const HvrHost *host, const CpuList *list, GError **error)
{
	g_autofree char *online = hvr_tree_read_line(host->sys, CPUS "online");

	/* a host that does not say has them all */
	for (guint i = 0; online && i < list->cpus->len; i++) {
		guint cpu = g_array_index(list->cpus, guint, i);

		if (is_online(online, cpu))
			continue;
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "[cpu] %s: CPU %u is not there", list->key, cpu);
		hvr_error_hint(error, "this host has CPUs %s", online);
		return FALSE;
	}
	return TRUE;
}

static void make_set(const GArray *cpus, cpu_set_t *out_set)
{
	CPU_ZERO(out_set);
	for (guint i = 0; i < cpus->len; i++)
		CPU_SET(g_array_index(cpus, guint, i), out_set);
}

/* A container, or a control group, may have fewer than are online: of those that it has not the
 * kernel passes over some, and refuses all (sched_setaffinity(2)). Tried in a child, as in QEMU's.
 */
static gboolean check_affinity(const CpuList *list, GError **error)
{
	cpu_set_t cpus;
	int status = 0;

	make_set(list->cpus, &cpus);
	pid_t pid = fork();
	if (pid == 0)
		_exit(sched_setaffinity(0, sizeof(cpus), &cpus) < 0 ? errno : 0);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0)
		return TRUE;
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "[cpu] %s: this process may run on none of %s: %s", list->key, list->what,
		    g_strerror(WEXITSTATUS(status)));
	hvr_error_hint(error, "grep Cpus_allowed_list /proc/self/status shows those that it has");
	return FALSE;
}

static gboolean check_cpus(const HvrHost *host, const HvrProfile *profile, GError **error)
{
	g_autoptr(GArray) lists = all_lists(&profile->processor);

	for (guint i = 0; i < lists->len; i++)
		if (!check_online(host, &g_array_index(lists, CpuList, i), error))
			return FALSE;
	for (guint i = 0; i < lists->len; i++)
		if (!check_affinity(&g_array_index(lists, CpuList, i), error))
			return FALSE;
	return TRUE;
}

gboolean hvr_placement_check(const HvrContext *context, const HvrProfile *profile,
			     const HvrParts *parts, GError **error)
{
	const HvrHost *host = &context->host;

	return check_node(host, profile, error) && check_cpus(host, profile, error);
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
	const HvrProfileProcessor *processor = &profile->processor;
	const GArray *cpus = processor->emulator ? processor->emulator : processor->pin;

	if (!cpus)
		return FALSE;
	make_set(cpus, out_set);
	return TRUE;
}

gboolean hvr_placement_has_vcpus(const HvrProfile *profile)
{
	const HvrProfileProcessor *processor = &profile->processor;

	return processor->pins || (processor->emulator && processor->pin);
}

gboolean hvr_placement_vcpu(const HvrProfile *profile, guint vcpu, cpu_set_t *out_set)
{
	const HvrProfileProcessor *processor = &profile->processor;
	const GArray *cpus = processor->emulator ? processor->pin : NULL;

	for (guint i = 0; processor->pins && i < processor->pins->len; i++) {
		const HvrVcpuPin *pin = g_ptr_array_index(processor->pins, i);

		if (pin->vcpu == vcpu)
			cpus = pin->cpus;
	}
	if (!cpus)
		return FALSE;
	make_set(cpus, out_set);
	return TRUE;
}
