/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asked of the module itself: the file "cards" of its parameters has the address of each card on
 * which the kernel's flag is set at this moment.
 */
#include "vfio/guard.h"

#include <string.h>

#include "vfio/tree.h"

#define MODULE	   "module/hailo_vm_run_guard"
#define CARDS	   MODULE "/parameters/cards"
#define IDS_OPTION "ids="

void hvr_guard_free(HvrGuard *guard)
{
	if (!guard)
		return;
	g_strfreev(guard->cards);
	g_free(guard->options);
	g_free(guard->problem);
	g_free(guard);
}

/* Where DKMS and the kernel's own modules_install put what is not the kernel's. */
gboolean hvr_guard_is_installed(const HvrHost *host)
{
	static const char *const folders[] = { "updates/dkms", "updates", "extra", "weak-updates" };
	static const char *const suffixes[] = { "", ".xz", ".zst", ".gz" };
	g_autofree char *release = hvr_tree_read_line(host->proc, "sys/kernel/osrelease");

	if (host->root < 0 || !release)
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
		for (guint k = 0; k < G_N_ELEMENTS(suffixes); k++) {
			g_autofree char *path =
				g_strdup_printf("usr/lib/modules/%s/%s/" HVR_GUARD_MODULE ".ko%s",
						release, folders[i], suffixes[k]);
			/* Where there is no merged /usr */
			if (hvr_tree_exists(host->root, path) ||
			    hvr_tree_exists(host->root, path + strlen("usr/")))
				return TRUE;
		}
	}
	return FALSE;
}

HvrGuard *hvr_guard_look(const HvrHost *host)
{
	HvrGuard *guard = g_new0(HvrGuard, 1);

	guard->loaded = hvr_tree_exists(host->sys, MODULE);
	if (!guard->loaded)
		return guard;
	g_autofree char *cards = hvr_tree_read(host->sys, CARDS, NULL);
	/* Without the file it is somebody else's module of that name, of which nothing is known. */
	if (cards)
		guard->cards = g_strsplit(cards, "\n", -1);
	return guard;
}

void hvr_guard_ask(const HvrHost *host, HvrGuard *guard)
{
	g_autoptr(GError) cause = NULL;

	if (guard->loaded || guard->options || guard->problem)
		return;
	guard->options = host->kernel->find_module(host, HVR_GUARD_MODULE, &cause);
	if (cause)
		guard->problem = g_strdup(cause->message);
}

gboolean hvr_guard_keeps(const HvrGuard *guard, const HvrPciFunction *function)
{
	HvrPciAddress address;

	for (guint i = 0; guard && guard->cards && guard->cards[i]; i++)
		if (hvr_pci_address_parse(guard->cards[i], &address) &&
		    address.domain == function->address.domain &&
		    address.bus == function->address.bus)
			return TRUE;
	return FALSE;
}

/* What the module takes when it is told nothing: test-guard.c holds the two to each other. */
static gboolean is_default(const HvrPciFunction *function)
{
	return function->quirk && g_strcmp0(function->quirk->reset_method, "") == 0;
}

gboolean hvr_guard_would_keep(const HvrGuard *guard, const HvrPciFunction *function)
{
	if (!guard->options)
		return FALSE;
	g_auto(GStrv) words = g_strsplit(guard->options, " ", -1);
	g_autofree char *id = g_strdup_printf("%04x:%04x", function->vendor, function->device);
	const char *ids = NULL;

	/* The last one counts, as for the kernel. */
	for (guint i = 0; words[i]; i++)
		if (g_str_has_prefix(words[i], IDS_OPTION))
			ids = words[i] + strlen(IDS_OPTION);
	if (!ids)
		return is_default(function);
	g_autofree char *lower = g_ascii_strdown(ids, -1);
	g_auto(GStrv) named = g_strsplit(lower, ",", -1);
	return g_strv_contains((const char *const *)named, id);
}
