/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * release: give back what a prepare, a kept card, an --exec or a crash has left.
 */
#include <pwd.h>

#include "launcher/command/cli.h"
#include "launcher/command/command.h"
#include "launcher/host/giveback-groups.h"
#include "launcher/host/leftovers.h"
#include "launcher/host/select.h"
#include "launcher/process/interrupt.h"
#include "launcher/process/user.h"
#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "launcher/runtime/job.h"
#include "launcher/runtime/name.h"
#include "vfio/address.h"

typedef struct {
	gboolean all, forget;
	char *vm, *user, *job;
} Options;

/* Where a card is somebody's: by sudo only who had it taken has a say, and root itself always.
 * What older versions have written down is nobody's. */
static gboolean may_release(const HvrUser *caller, const HvrJournalEntry *entry)
{
	return !caller->privileged || entry->by == HVR_JOURNAL_NOBODY || entry->by == caller->uid;
}

static void refuse_foreign(const HvrUser *caller, const HvrJournalEntry *entry, GError **error)
{
	const struct passwd *owner = getpwuid(entry->by);
	g_autofree char *number = g_strdup_printf("%u", entry->by);

	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "%s: user %s had it taken, not %s", entry->name,
		    owner ? owner->pw_name : number, caller->name);
	hvr_error_hint(error, "root itself may give it back: sudo -i, then run it there");
}

/* Takes out of @wanted what is not the caller's. FALSE: something was named that is not.
 * @named: the caller means just these, and not whatever there is */
static gboolean keep_own(GPtrArray *wanted, gboolean named, GError **error)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();

	for (guint i = wanted->len; i > 0; i--) {
		const HvrJournalEntry *entry = g_ptr_array_index(wanted, i - 1);
		if (may_release(caller, entry))
			continue;
		if (named) {
			refuse_foreign(caller, entry, error);
			return FALSE;
		}
		g_ptr_array_remove_index(wanted, i - 1);
	}
	return TRUE;
}

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

static gboolean find_user(const char *name, guint32 *out_uid, GError **error)
{
	const struct passwd *entry = getpwnam(name);
	guint64 uid = entry ? entry->pw_uid : 0;

	if (!entry &&
	    !g_ascii_string_to_unsigned(name, 10, 0, HVR_JOURNAL_NOBODY - 1, &uid, NULL)) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_USAGE,
			    "release: there is no user '%s' on this host", name);
		return FALSE;
	}
	*out_uid = (guint32)uid;
	return TRUE;
}

/* Those of a VM, of a user, of a job: of all that is said. Without any of it, all. */
static gboolean add_matching(const Options *options, const GPtrArray *entries, GPtrArray *wanted,
			     GError **error)
{
	guint32 uid = HVR_JOURNAL_NOBODY;

	if (options->user && !find_user(options->user, &uid, error))
		return FALSE;
	for (guint i = 0; i < entries->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(entries, i);
		if ((!options->vm || g_strcmp0(entry->vm, options->vm) == 0) &&
		    (!options->user || entry->by == uid || entry->user == uid) &&
		    (!options->job || g_strcmp0(entry->job, options->job) == 0))
			g_ptr_array_add(wanted, entry);
	}
	return TRUE;
}

static gboolean find_wanted(const HvrContext *context, const Options *options, const char *word,
			    const GPtrArray *entries, GPtrArray *wanted, GError **error)
{
	gboolean is_address = FALSE;

	if (!word)
		return add_matching(options, entries, wanted, error) &&
		       keep_own(wanted, FALSE, error);
	return (add_address(word, entries, wanted, &is_address) || is_address ||
		add_profile(context, word, entries, wanted, error)) &&
	       keep_own(wanted, TRUE, error);
}

static gboolean refuse_plain(GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_PERMISSION,
		    "release: only root can give cards back to the host");
	hvr_error_hint(error, "run it with sudo");
	return FALSE;
}

static gboolean give_back(HvrContext *context, const Options *options, const char *word,
			  GError **error)
{
	g_autoptr(GPtrArray) damaged = NULL;
	g_autoptr(GPtrArray) wanted = g_ptr_array_new();

	if (context->captured)
		return refuse_plain(error);
	if (!hvr_context_open_runtime(context, TRUE, error))
		return FALSE;
	g_autoptr(GPtrArray) entries = hvr_journal_list(context->runtime, &damaged);
	if (!find_wanted(context, options, word, entries, wanted, error))
		return FALSE;
	/* A plain user's own journal has what their VMs had of what was prepared for them. */
	if (!context->privileged && word && wanted->len == 0)
		return refuse_plain(error);
	gboolean well = release_all(context, wanted, options->forget, error);
	if (wanted->len == 0 && context->privileged)
		hvr_message("nothing to release");
	else if (wanted->len == 0)
		hvr_message(
			"nothing of yours to release; what root has taken only root gives back");
	hvr_leftovers_remove(context);
	return !damaged_entries(damaged, error) && well;
}

static int release(HvrContext *context, const HvrInvocation *invocation, GError **error)
{
	const Options *options = invocation->options;
	const char *word = invocation->words[0];
	gboolean chosen = options->vm || options->user || options->job;
	HvrPciAddress address;

	if ((options->all || chosen) == (word != NULL) || (options->all && chosen)) {
		hvr_command_usage(
			error, "release",
			"PROFILE, ADDRESS, --all, or --vm, --user and --job: one of them");
		return -1;
	}
	if (options->job && !hvr_job_valid(options->job)) {
		hvr_command_usage(error, "release", "--job: '%s' is no job", options->job);
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
	{ "vm", 0, HVR_TEXT(Options, vm), "VM", "What this VM has left" },
	{ "user", 0, HVR_TEXT(Options, user), "NAME",
	  "What this user had taken, or what was for them" },
	{ "job", 0, HVR_TEXT(Options, job), "ID",
	  "What was taken for this job (HAILO_VM_JOB, ...)" },
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
