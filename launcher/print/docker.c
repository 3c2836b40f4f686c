/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container shares the host's kernel, so it needs no VM and no VFIO: the card stays on the host's
 * driver, and the container gets the driver's node.
 */
#include "launcher/print/print.h"

#include "launcher/report/error.h"
#include "vfio/devnodes.h"

/* What the maker's guide has a container see of its host. */
static const char options[] = "-v /dev:/dev\n"
			      "-v /lib/firmware:/lib/firmware\n"
			      "-v /lib/udev/rules.d:/lib/udev/rules.d\n"
			      "-v /lib/modules:/lib/modules\n";

/* FALSE: there is none. */
static gboolean append_nodes(GString *text, const HvrHost *host, const HvrPciFunction *function)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new();
	gboolean found = FALSE;

	g_ptr_array_add(one, (gpointer)function);
	g_autoptr(HvrDevnodes) nodes = hvr_devnodes_find(host, one);
	for (guint i = 0; i < nodes->nodes->len; i++) {
		const HvrDevnode *node = g_ptr_array_index(nodes->nodes, i);
		if (node->block || node->access.kind != HVR_ACCESS_NONE)
			continue;
		g_string_append_printf(text, "--device=/dev/%s:/dev/%s\n", node->name, node->name);
		found = TRUE;
	}
	return found;
}

static void refuse(const HvrPciFunction *function, GError **error)
{
	const char *name = function->name;

	if (function->driver)
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "%s: driver %s has made no node for programs", name, function->driver);
	else
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			    "%s: it has no driver, so no node for programs", name);
	hvr_error_hint(error,
		       "a container needs the card on its host driver: give it back with "
		       "'hailo-vm-run release %s', and see that the driver is installed",
		       name);
}

char *hvr_print_docker(const HvrHost *host, const HvrClaim *claim, GError **error)
{
	g_autoptr(GString) text = g_string_new(options);

	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		if (!append_nodes(text, host, card->function)) {
			refuse(card->function, error);
			return NULL;
		}
	}
	return g_strdup(text->str);
}
