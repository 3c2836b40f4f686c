/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tidying up behind the dead. Each thing belongs to whoever has its lock, so it is removed under
 * that lock: a VM's folder under the VM's, a half written entry under its function's group's.
 */
#include "launcher/host/leftovers.h"

#include <string.h>
#include <unistd.h>

#include "launcher/runtime/ended.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/vm.h"
#include "vfio/inventory.h"
#include "vfio/tree.h"

#define HALF_WRITTEN_SUFFIX ".ini.new"

/* ".0000:02:00.0.ini.new" */
static gboolean parse_half_written(const char *name, HvrPciAddress *out_address)
{
	if (name[0] != '.' || !g_str_has_suffix(name, HALF_WRITTEN_SUFFIX))
		return FALSE;
	g_autofree char *address =
		g_strndup(name + 1, strlen(name + 1) - strlen(HALF_WRITTEN_SUFFIX));
	return hvr_pci_address_parse(address, out_address);
}

static void remove_half_written(const HvrContext *context)
{
	g_autoptr(GPtrArray) names = hvr_tree_list(context->runtime, "devices");
	g_autoptr(HvrInventory) inventory = NULL;

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_strconcat("devices/", name, NULL);
		HvrPciAddress address;
		if (!parse_half_written(name, &address))
			continue;
		if (!inventory)
			inventory = hvr_inventory_read(&context->host, NULL);
		if (!inventory)
			return;
		const HvrPciFunction *function = hvr_inventory_find(inventory, &address);
		if (!function) {
			/* Nobody writes about a function that is not there. */
			unlinkat(context->runtime, path, 0);
			continue;
		}
		g_autofree char *group = hvr_lock_name_group(function->group);
		HvrLock *lock = hvr_lock_try(&context->host, context->runtime, group, NULL, NULL);
		if (lock)
			unlinkat(context->runtime, path, 0);
		hvr_lock_release(lock);
	}
}

void hvr_leftovers_remove(const HvrContext *context)
{
	g_autoptr(GPtrArray) names = hvr_vm_folders(context->runtime);

	for (guint i = 0; i < names->len; i++) {
		const char *vm = g_ptr_array_index(names, i);
		g_autofree char *name = hvr_lock_name_vm(vm);
		HvrLock *lock = hvr_lock_try(&context->host, context->runtime, name, NULL, NULL);
		if (!lock)
			continue;
		hvr_ended_keep_leftover(context, vm);
		hvr_lock_release(lock);
	}
	remove_half_written(context);
	hvr_lock_sweep(&context->host, context->runtime);
}
