/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * release: give back what a prepare, a kept card, an --exec or a crash has left.
 */
#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/host/giveback.h"
#include "launcher/host/leftovers.h"
#include "launcher/host/select.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/runtime/lock.h"
#include "vfio/address.h"

typedef struct {
	gboolean all;
} Options;

/* Is this word on the command line a PCI address? Else it is a profile. */
static gboolean add_address(const char *word, const GPtrArray *entries, GPtrArray *wanted,
			    gboolean *out_is_address)
{
	HvrPciAddress address;

	*out_is_address = hvr_pci_address_parse(word, &address);
	HvrJournalEntry *entry = *out_is_address ? hvr_journal_find(entries, &address) : NULL;
	if (entry)
		g_ptr_array_add(wanted, entry);
	return entry != NULL;
}

static gboolean section_names(const HvrProfileDevice *device, const HvrInventory *inventory,
			      const HvrJournalEntry *entry)
{
	g_autoptr(GPtrArray) found = hvr_select(device, inventory, NULL);

	for (guint i = 0; found && i < found->len; i++) {
		const HvrPciFunction *function = g_ptr_array_index(found, i);
		if (hvr_pci_address_compare(&function->address, &entry->address) == 0)
			return TRUE;
	}
	return FALSE;
}

/* The profile's VM's entries, and the prepared ones that its sections name. */
static gboolean add_profile(const HvrContext *context, const char *word, const GPtrArray *entries,
			    GPtrArray *wanted, GError **error)
{
	g_autoptr(HvrProfile) profile = hvr_cli_profile(context, word, NULL, error);
	g_autoptr(HvrInventory) inventory =
		profile ? hvr_inventory_read(&context->host, error) : NULL;
	if (!inventory)
		return FALSE;

	for (guint i = 0; i < entries->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		gboolean ours = g_strcmp0(entry->vm, profile->name) == 0;
		for (guint k = 0; !ours && !entry->vm && k < profile->devices->len; k++)
			ours = section_names(g_ptr_array_index(profile->devices, k), inventory,
					     entry);
		if (ours)
			g_ptr_array_add(wanted, entry);
	}
	return TRUE;
}

static gboolean damaged_entries(const GPtrArray *damaged, GError **error)
{
	for (guint i = 0; i < damaged->len; i++) {
		g_autoptr(GError) problem = g_error_new_literal(
			HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_INTERNAL, g_ptr_array_index(damaged, i));
		if (error && !*error)
			*error = g_steal_pointer(&problem);
		else
			hvr_message_error(problem);
	}
	return damaged->len > 0;
}

/* All that is wanted of one group, under its lock. */
static gboolean release_group(const HvrContext *context, const GPtrArray *wanted, int group,
			      GError **error)
{
	g_autofree char *name = hvr_lock_name_group(group);
	g_autoptr(GPtrArray) of_group = hvr_giveback_of_group(wanted, group);
	const HvrJournalEntry *first = g_ptr_array_index(of_group, 0);
	GError *cause = NULL;
	HvrLock *lock = hvr_lock_try(&context->host, context->runtime, name, NULL, &cause);

	if (!lock) {
		g_propagate_prefixed_error(error, cause, "%s: ", first->name);
		hvr_error_hint(error, "stop that VM, or unplug the card from it");
		return FALSE;
	}
	g_autoptr(GPtrArray) still = hvr_giveback_still_there(context, of_group);
	gboolean well = hvr_giveback(context, still, HVR_GIVEBACK_RESTORE, error);
	hvr_lock_release(lock);
	return well;
}

static gboolean release_all(const HvrContext *context, const GPtrArray *wanted, GError **error)
{
	g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);
	gboolean well = TRUE;

	for (guint i = 0; i < wanted->len; i++) {
		const HvrJournalEntry *entry = g_ptr_array_index(wanted, i);
		g_autoptr(GError) cause = NULL;
		if (!g_hash_table_add(done, GINT_TO_POINTER(entry->group + 1)))
			continue;
		if (!hvr_interrupt_check(error))
			return FALSE;
		if (release_group(context, wanted, entry->group, &cause)) {
			hvr_message("%s: back with the host", entry->name);
			continue;
		}
		well = FALSE;
		if (error && !*error)
			*error = g_steal_pointer(&cause);
		else
			hvr_message_error(cause);
	}
	return well;
}

static gboolean give_back(HvrContext *context, const char *word, GError **error)
{
	g_autoptr(GPtrArray) damaged = NULL;
	g_autoptr(GPtrArray) wanted = g_ptr_array_new();
	gboolean is_address = FALSE;

	if (!context->privileged || context->captured) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
			    "release: only root can give cards back to the host");
		hvr_error_hint(error, "run it with sudo");
		return FALSE;
	}
	if (!hvr_context_open_runtime(context, TRUE, error))
		return FALSE;
	g_autoptr(GPtrArray) entries = hvr_journal_list(context->runtime, &damaged);
	if (!word)
		for (guint i = 0; i < entries->len; i++)
			g_ptr_array_add(wanted, g_ptr_array_index(entries, i));
	else if (!add_address(word, entries, wanted, &is_address) && !is_address &&
		 !add_profile(context, word, entries, wanted, error))
		return FALSE;

	gboolean well = release_all(context, wanted, error);
	if (wanted->len == 0)
		hvr_message("nothing to release");
	hvr_leftovers_remove(context);
	return !damaged_entries(damaged, error) && well;
}

static int release(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const char *word = invocation->words[0];

	if (options->all == (word != NULL)) {
		hvr_command_usage(error, "release", "PROFILE, ADDRESS or --all, one of them");
		return -1;
	}
	return give_back(context, word, error) ? 0 : -1;
}

static const HvrOption table[] = {
	{ "all", 'a', HVR_FLAG(Options, all), NULL, "Everything that is not in a VM" },
	{ .name = NULL },
};

const HvrCommand hvr_command_release = {
	.name = "release",
	.words = "PROFILE|ADDRESS|--all",
	.summary = "give cards back to the host",
	.most = 1,
	.options = table,
	.size = sizeof(Options),
	.run = release,
};
