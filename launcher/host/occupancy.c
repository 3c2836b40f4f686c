/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free, or whose? Three witnesses, from the best informed to the surest:
 *
 *   the lock of the group   names the VM
 *   /proc                   names any other process, as far as the caller may look
 *   the access to it        knows, but names nobody
 *
 * "Free" is only said when none of them was kept from speaking.
 */
#include "launcher/host/occupancy.h"

#include "launcher/runtime/journal.h"
#include "launcher/runtime/lock.h"
#include "launcher/runtime/others.h"
#include "vfio/access.h"
#include "vfio/dependents.h"

struct HvrOccupancyFinder {
	const HvrContext *context;
	GPtrArray *journal;
	GPtrArray *others;	/* of HvrOther, once somebody was found who may be one */
	gboolean any_dependent; /* somebody uses one of the functions: see whom, one by one */
};

void hvr_occupancy_clear(HvrOccupancy *occupancy)
{
	g_clear_pointer(&occupancy->who, g_free);
	g_clear_pointer(&occupancy->what, g_free);
}

HvrOccupancyFinder *hvr_occupancy_finder_new(const HvrContext *context, const GPtrArray *functions)
{
	HvrOccupancyFinder *finder = g_new0(HvrOccupancyFinder, 1);
	g_autoptr(GPtrArray) dependents = hvr_dependents_find(&context->host, functions);

	finder->context = context;
	finder->any_dependent = dependents->len > 0;
	if (context->runtime >= 0)
		finder->journal = hvr_journal_list(context->runtime, NULL);
	else
		finder->journal = g_ptr_array_new();
	return finder;
}

void hvr_occupancy_finder_free(HvrOccupancyFinder *finder)
{
	if (!finder)
		return;
	g_ptr_array_unref(finder->journal);
	g_clear_pointer(&finder->others, g_ptr_array_unref);
	g_free(finder);
}

static gboolean find_vm(const HvrContext *context, const HvrPciFunction *function,
			HvrOccupancy *occupancy)
{
	g_auto(HvrLockHolder) holder = { 0 };
	g_autofree char *name = hvr_lock_name_group(function->group);

	if (context->runtime < 0 || function->group < 0 ||
	    !hvr_lock_holder(&context->host, context->runtime, name, &holder))
		return FALSE;
	occupancy->kind = HVR_OCCUPANCY_VM;
	occupancy->who = g_steal_pointer(&holder.vm);
	occupancy->pid = holder.pid.pid;
	return TRUE;
}

/* A plain user's VM has its locks in that user's own folder. */
static gboolean find_other(HvrOccupancyFinder *finder, pid_t pid, HvrOccupancy *occupancy)
{
	if (!finder->others)
		finder->others = hvr_others_find(finder->context);
	for (guint i = 0; i < finder->others->len; i++) {
		const HvrOther *other = g_ptr_array_index(finder->others, i);
		if (other->vm->qemu.pid != pid)
			continue;
		occupancy->kind = HVR_OCCUPANCY_VM;
		occupancy->who = g_strdup_printf("%s of user %s", other->vm->name, other->user);
		occupancy->pid = pid;
		return TRUE;
	}
	return FALSE;
}

static gboolean find_process(HvrOccupancyFinder *finder, const HvrPciFunction *function,
			     HvrOccupancy *occupancy)
{
	const HvrContext *context = finder->context;
	g_autoptr(GPtrArray) one = g_ptr_array_new();

	g_ptr_array_add(one, (gpointer)function);
	g_autoptr(GPtrArray) dependents = hvr_dependents_find(&context->host, one);
	if (dependents->len == 0)
		return FALSE;
	const HvrDependent *dependent = g_ptr_array_index(dependents, 0);
	if (find_other(finder, dependent->pid, occupancy))
		return TRUE;
	occupancy->kind = HVR_OCCUPANCY_PROCESS;
	occupancy->who = g_strdup(dependent->command);
	occupancy->pid = dependent->pid;
	occupancy->what = g_strdup(dependent->what);
	return TRUE;
}

/* The kernel's word; a captured tree has no kernel behind it. */
static HvrOccupancyKind ask_kernel(const HvrContext *context, const HvrPciFunction *function)
{
	HvrAccess access = hvr_access_of(function);
	HvrAccessStatus status = HVR_ACCESS_NO_NODE;

	if (!function->driver)
		return HVR_OCCUPANCY_FREE;
	if (context->captured)
		return HVR_OCCUPANCY_UNKNOWN;
	/* Of a driver of the host, root has been told all by /proc. */
	if (hvr_pci_function_blocks(function) && context->privileged)
		return HVR_OCCUPANCY_FREE;
	if (hvr_pci_function_blocks(function) || access.kind == HVR_ACCESS_NONE ||
	    !context->host.kernel->access_status(&context->host, access, &status, NULL))
		return HVR_OCCUPANCY_UNKNOWN;
	if (status == HVR_ACCESS_IN_USE)
		return HVR_OCCUPANCY_PROCESS;
	return HVR_OCCUPANCY_FREE;
}

gboolean hvr_occupancy_is_stranded(const GPtrArray *journal, const HvrPciFunction *function)
{
	const HvrJournalEntry *entry = hvr_journal_find_card(journal, function);

	return entry && entry->saved->driver && !function->driver;
}

void hvr_occupancy_find(HvrOccupancyFinder *finder, const HvrPciFunction *function,
			HvrOccupancy *out_occupancy)
{
	const HvrContext *context = finder->context;

	*out_occupancy = (HvrOccupancy){ .kind = HVR_OCCUPANCY_FREE };
	out_occupancy->prepared = hvr_journal_find_card(finder->journal, function) != NULL;
	if (find_vm(context, function, out_occupancy) ||
	    (finder->any_dependent && find_process(finder, function, out_occupancy)))
		return;
	if (hvr_occupancy_is_stranded(finder->journal, function)) {
		out_occupancy->kind = HVR_OCCUPANCY_NO_DRIVER;
		out_occupancy->prepared = FALSE;
		return;
	}
	out_occupancy->kind = ask_kernel(context, function);
}

char *hvr_occupancy_describe(const HvrOccupancy *occupancy)
{
	g_autoptr(GString) text = g_string_new(NULL);

	switch (occupancy->kind) {
	case HVR_OCCUPANCY_FREE:
		if (occupancy->prepared)
			return g_strdup("free, prepared");
		return g_strdup("free");
	case HVR_OCCUPANCY_NO_DRIVER:
		return g_strdup("no driver, not given back");
	case HVR_OCCUPANCY_UNKNOWN:
		return g_strdup("unknown");
	case HVR_OCCUPANCY_VM:
		if (occupancy->who)
			g_string_append_printf(text, "VM %s", occupancy->who);
		else
			g_string_append(text, "hailo-vm-run");
		break;
	case HVR_OCCUPANCY_PROCESS:
		if (occupancy->who)
			g_string_append(text, occupancy->who);
		else if (occupancy->what)
			g_string_append(text, occupancy->what);
		else
			g_string_append(text, "a process");
		break;
	}
	if (occupancy->pid)
		g_string_append_printf(text, " (pid %d)", (int)occupancy->pid);
	return g_strdup(text->str);
}
