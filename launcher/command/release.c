/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * release: give back what a prepare, a kept card, an --exec or a crash has left.
 */
#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/host/giveback-groups.h"
#include "launcher/host/leftovers.h"
#include "launcher/host/select.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/runtime/name.h"
#include "vfio/address.h"

typedef struct {
	gboolean all, forget;
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

/* A VM of the profile: the one that it names, or a dead one whose name was made of it. */
static gboolean is_vm_of(const HvrContext *context, const HvrProfile *profile,
			 const HvrJournalEntry *entry)
{
	if (!entry->vm || g_str_equal(entry->vm, profile->name))
		return entry->vm != NULL;
	return hvr_name_is_made_of(entry->vm, profile->stem) &&
	       !hvr_process_alive(&context->host, &entry->owner);
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
		gboolean ours = is_vm_of(context, profile, entry);
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

/* Errors: the first; the others are told. */
static gboolean release_all(const HvrContext *context, const GPtrArray *wanted, gboolean forget,
			    GError **error)
{
	const HvrGivebackHow how = { .mode = HVR_GIVEBACK_RESTORE,
				     .interruptible = TRUE,
				     .forget = forget };
	g_autoptr(GPtrArray) results = hvr_giveback_groups(context, wanted, NULL, &how);
	gboolean well = TRUE;

	for (guint i = 0; i < results->len; i++) {
		HvrGivebackResult *result = g_ptr_array_index(results, i);
		if (result->where)
			hvr_message("%s%s: %s", result->as_before ? "" : "warning: ", result->name,
				    result->where);
		if (!result->error)
			continue;
		if (hvr_giveback_is_elsewhere(result) && !hvr_interrupt_pending())
			hvr_error_hint(&result->error, "stop that VM, or unplug the card from it");
		if (well)
			g_propagate_error(error, g_steal_pointer(&result->error));
		else
			hvr_message_error(result->error);
		well = FALSE;
	}
	return well;
}

static gboolean give_back(HvrContext *context, const Options *options, const char *word,
			  GError **error)
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

	gboolean well = release_all(context, wanted, options->forget, error);
	if (wanted->len == 0)
		hvr_message("nothing to release");
	hvr_leftovers_remove(context);
	return !damaged_entries(damaged, error) && well;
}

static int release(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const char *word = invocation->words[0];
	HvrPciAddress address;

	if (options->all == (word != NULL)) {
		hvr_command_usage(error, "release", "PROFILE, ADDRESS or --all, one of them");
		return -1;
	}
	if (options->forget && (!word || !hvr_pci_address_parse(word, &address))) {
		hvr_command_usage(error, "release", "--forget and one ADDRESS");
		return -1;
	}
	return give_back(context, options, word, error) ? 0 : -1;
}

static const HvrOption table[] = {
	{ "all", 'a', HVR_FLAG(Options, all), NULL, "Everything that is not in a VM" },
	{ "forget", 0, HVR_FLAG(Options, forget), NULL,
	  "Remember nothing more of a card that cannot be given back" },
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
