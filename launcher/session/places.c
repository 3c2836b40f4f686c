/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whoever gives a card back may be another process, and its "done" is what it believes. The journal
 * says what each function was, and is read before: what has gone well is not in it any more.
 */
#include "launcher/session/places.h"

#include "launcher/host/whereabouts.h"
#include "launcher/report/message.h"

void hvr_places_remember(HvrPlaces *places, const HvrContext *context, const HvrVm *vm)
{
	*places = (HvrPlaces){ .context = context, .vm = vm };
	if (context->runtime >= 0)
		places->entries = hvr_journal_list(context->runtime, NULL);
}

void hvr_places_clear(HvrPlaces *places)
{
	g_clear_pointer(&places->entries, g_ptr_array_unref);
}

/* (transfer none): the one that has this function, or NULL. */
static const HvrVmDevice *find_device(const HvrVm *vm, const char *address)
{
	for (guint i = 0; i < vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(vm->devices, i);
		if (g_str_equal(device->address, address))
			return device;
	}
	return NULL;
}

/* Companions of a card have no device of their own. */
static gboolean is_of(const HvrVm *vm, const HvrJournalEntry *entry, const char *section)
{
	for (guint i = 0; section && i < vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(vm->devices, i);
		if (device->group == entry->group && g_str_equal(device->section, section))
			return TRUE;
	}
	return !section;
}

static gboolean is_on_vfio(const HvrInventory *inventory, const HvrJournalEntry *entry)
{
	const HvrPciFunction *function = hvr_inventory_find(inventory, &entry->address);

	return function && g_strcmp0(function->driver, "vfio-pci") == 0;
}

void hvr_places_tell(const HvrPlaces *places, const char *section, gboolean kept)
{
	const HvrHost *host = &places->context->host;
	g_autoptr(HvrInventory) inventory = hvr_inventory_read(host, NULL);

	for (guint i = 0; inventory && places->entries && i < places->entries->len; i++) {
		const HvrJournalEntry *entry = g_ptr_array_index(places->entries, i);
		const HvrVmDevice *device = find_device(places->vm, entry->name);
		gboolean as_before = TRUE;
		g_autofree char *where = NULL;
		if (g_strcmp0(entry->vm, places->vm->name) != 0 ||
		    !is_of(places->vm, entry, section))
			continue;
		if ((kept || hvr_vm_keeps_group(places->vm, entry->group)) &&
		    is_on_vfio(inventory, entry))
			where = g_strdup("is kept on vfio-pci");
		else
			where = hvr_whereabouts(host, inventory, entry, &as_before);
		hvr_message("%s%s%s%s %s",
			    as_before ? "" : "warning: ", device ? device->section : "",
			    device ? ": " : "", entry->name, where);
	}
}
