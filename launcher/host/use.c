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
#include "launcher/host/use.h"

#include "launcher/runtime/journal.h"
#include "launcher/runtime/lock.h"
#include "vfio/access.h"
#include "vfio/dependents.h"

struct HvrUseFinder {
	const HvrContext *context;
	GPtrArray *journal;
	gboolean any_dependent; /* somebody uses one of the functions: see whom, one by one */
};

void hvr_use_clear(HvrUse *use)
{
	g_clear_pointer(&use->who, g_free);
	g_clear_pointer(&use->what, g_free);
}

HvrUseFinder *hvr_use_finder_new(const HvrContext *context, const GPtrArray *functions)
{
	HvrUseFinder *finder = g_new0(HvrUseFinder, 1);
	g_autoptr(GPtrArray) dependents = hvr_dependents_find(&context->host, functions);

	finder->context = context;
	finder->any_dependent = dependents->len > 0;
	if (context->runtime >= 0)
		finder->journal = hvr_journal_list(context->runtime, NULL);
	else
		finder->journal = g_ptr_array_new();
	return finder;
}

void hvr_use_finder_free(HvrUseFinder *finder)
{
	if (!finder)
		return;
	g_ptr_array_unref(finder->journal);
	g_free(finder);
}

static gboolean find_vm(const HvrContext *context, const HvrPciFunction *function, HvrUse *use)
{
	g_auto(HvrLockHolder) holder = { 0 };
	g_autofree char *name = hvr_lock_name_group(function->group);

	if (context->runtime < 0 || function->group < 0 ||
	    !hvr_lock_holder(&context->host, context->runtime, name, &holder))
		return FALSE;
	use->kind = HVR_USE_VM;
	use->who = g_steal_pointer(&holder.vm);
	use->pid = holder.pid.pid;
	return TRUE;
}

static gboolean find_process(const HvrContext *context, const HvrPciFunction *function, HvrUse *use)
{
	g_autoptr(GPtrArray) one = g_ptr_array_new();

	g_ptr_array_add(one, (gpointer)function);
	g_autoptr(GPtrArray) dependents = hvr_dependents_find(&context->host, one);
	if (dependents->len == 0)
		return FALSE;
	const HvrDependent *dependent = g_ptr_array_index(dependents, 0);
	use->kind = HVR_USE_PROCESS;
	use->who = g_strdup(dependent->command);
	use->pid = dependent->pid;
	use->what = g_strdup(dependent->what);
	return TRUE;
}

/* The kernel's word; a captured tree has no kernel behind it. */
static HvrUseKind ask_kernel(const HvrContext *context, const HvrPciFunction *function)
{
	HvrAccess access = hvr_access_of(function);
	HvrAccessStatus status = HVR_ACCESS_NO_NODE;

	if (!function->driver)
		return HVR_USE_FREE;
	if (context->captured)
		return HVR_USE_UNKNOWN;
	/* Of a driver of the host, root has been told all by /proc. */
	if (hvr_pci_function_blocks(function) && context->privileged)
		return HVR_USE_FREE;
	if (hvr_pci_function_blocks(function) || access.kind == HVR_ACCESS_NONE ||
	    !context->host.kernel->access_status(&context->host, access, &status, NULL))
		return HVR_USE_UNKNOWN;
	if (status == HVR_ACCESS_IN_USE)
		return HVR_USE_PROCESS;
	return HVR_USE_FREE;
}

void hvr_use_find(const HvrUseFinder *finder, const HvrPciFunction *function, HvrUse *out_use)
{
	const HvrContext *context = finder->context;

	*out_use = (HvrUse){ .kind = HVR_USE_FREE };
	out_use->prepared = hvr_journal_find(finder->journal, &function->address) != NULL;
	if (find_vm(context, function, out_use) ||
	    (finder->any_dependent && find_process(context, function, out_use)))
		return;
	out_use->kind = ask_kernel(context, function);
}

char *hvr_use_describe(const HvrUse *use)
{
	g_autoptr(GString) text = g_string_new(NULL);

	switch (use->kind) {
	case HVR_USE_FREE:
		if (use->prepared)
			return g_strdup("free, prepared");
		return g_strdup("free");
	case HVR_USE_UNKNOWN:
		return g_strdup("unknown");
	case HVR_USE_VM:
		if (use->who)
			g_string_append_printf(text, "VM %s", use->who);
		else
			g_string_append(text, "hailo-vm-run");
		break;
	case HVR_USE_PROCESS:
		if (use->who)
			g_string_append(text, use->who);
		else if (use->what)
			g_string_append(text, use->what);
		else
			g_string_append(text, "a process");
		break;
	}
	if (use->pid)
		g_string_append_printf(text, " (pid %d)", (int)use->pid);
	return g_strdup(text->str);
}
