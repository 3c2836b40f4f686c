/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying a plan out.
 *
 * Entry, fsync, steps; next function. When a step fails, everything that has an entry by then is
 * given back the same way as after a crash: by its entry, and by what the host looks like.
 */
#include "launcher/host/execute.h"

#include "launcher/host/card-audit.h"
#include "launcher/host/container.h"
#include "launcher/host/giveback.h"
#include "launcher/host/guarding.h"
#include "launcher/host/health.h"
#include "launcher/process/interrupt.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "vfio/access.h"
#include "vfio/error.h"
#include "vfio/step.h"

/* A plan as far as it has been carried out. */
typedef struct {
	const HvrContext *context;
	const HvrPlan *plan;
	const HvrOwnership *ownership;
	GPtrArray *entries;	      /* of HvrJournalEntry: of each function that may be changed */
	const HvrPciFunction *failed; /* at which it ended; NULL: at none */
	gboolean broken;	      /* vfio-pci does not get that */
} Execution;

/* @out_failed: the step that failed; NULL: somebody has interrupted */
static gboolean perform_steps(const HvrContext *context, const GPtrArray *steps, guint timeout_ms,
			      const HvrStep **out_failed, GError **error)
{
	*out_failed = NULL;
	for (guint i = 0; i < steps->len; i++) {
		const HvrStep *step = g_ptr_array_index(steps, i);
		if (!hvr_interrupt_check(error))
			return FALSE;
		if (hvr_step_perform(&context->host, step, timeout_ms, error))
			continue;
		*out_failed = step;
		return FALSE;
	}
	return TRUE;
}

/* Not: a reset method that the profile has wrong, what a container may not write, or a driver of
 * the host that takes longer than the profile's deadline to let go. */
static gboolean is_broken(const HvrStep *step, const GError *error)
{
	int status = hvr_exit_status(error);

	return step->kind == HVR_STEP_PROBE && status != HVR_EXIT_BUSY &&
	       status != HVR_EXIT_PERMISSION;
}

static guint deadline_ms(const HvrContext *context, const HvrPlanFunction *planned)
{
	if (planned->device)
		return planned->device->deadline_ms;
	return hvr_host_timeout_ms(&context->host);
}

/* A rule of udev's, or a tool, may have had its own idea of the owner since; it is told once. */
static gboolean hold_node(const HvrContext *context, const HvrPlanFunction *planned, GError **error)
{
	for (guint i = 0; i < planned->steps->len; i++) {
		const HvrStep *step = g_ptr_array_index(planned->steps, i);
		if (step->kind != HVR_STEP_OWN_NODE ||
		    hvr_access_is_owned(&context->host, step->access, &step->owner))
			continue;
		if (!hvr_step_perform(&context->host, step, deadline_ms(context, planned), error))
			return FALSE;
	}
	return TRUE;
}

/* What the steps were for: QEMU will be able to open the group. */
static gboolean check_viable(const HvrContext *context, const HvrPlanFunction *planned,
			     GError **error)
{
	const HvrPciFunction *function = planned->function;
	HvrAccessStatus status = HVR_ACCESS_NO_NODE;
	HvrVfioError code = HVR_VFIO_ERROR_NOT_VIABLE;
	const char *problem = "without a node";
	GError *cause = NULL;

	if (!context->host.kernel->access_status(&context->host, planned->access, &status,
						 &cause)) {
		g_propagate_prefixed_error(error, cause, "%s: ", function->name);
		return FALSE;
	}
	if (status == HVR_ACCESS_VIABLE)
		return TRUE;
	if (status == HVR_ACCESS_NOT_VIABLE)
		problem = "not viable: a driver of the host still has a member of it";
	if (status == HVR_ACCESS_IN_USE) {
		problem = "in use by another process";
		code = HVR_VFIO_ERROR_BUSY;
	}
	g_set_error(error, HVR_VFIO_ERROR, code, "%s: VFIO says that IOMMU group %d is %s",
		    function->name, function->group, problem);
	return FALSE;
}

static void note_whose(const HvrContext *context, const HvrPlan *plan, HvrJournalEntry *entry)
{
	g_autoptr(HvrUser) caller = hvr_user_caller();

	entry->by = caller->uid;
	if (plan->user)
		entry->user = plan->user->uid;
	entry->job = g_strdup(context->job);
}

static gboolean execute_function(Execution *execution, const HvrPlanFunction *planned,
				 GError **error)
{
	const HvrContext *context = execution->context;
	const HvrOwnership *ownership = execution->ownership;
	HvrJournalEntry *entry = hvr_journal_entry_new(planned->function, planned->state);
	const HvrStep *step = NULL;
	GError *cause = NULL;

	entry->vm = g_strdup(ownership->vm);
	if (ownership->vm)
		entry->id = g_strdup(planned->id);
	entry->owner = ownership->owner;
	entry->since = g_get_real_time() / G_USEC_PER_SEC;
	note_whose(context, execution->plan, entry);
	g_ptr_array_add(execution->entries, entry);
	if (!hvr_journal_write(context->runtime, entry, error))
		return FALSE;
	if (perform_steps(context, planned->steps, deadline_ms(context, planned), &step, &cause)) {
		hvr_card_audit(context, HVR_AUDIT_TAKEN, planned->function, ownership->vm, NULL);
		return TRUE;
	}
	if (step) {
		execution->failed = planned->function;
		execution->broken = is_broken(step, cause);
		hvr_card_audit(context, HVR_AUDIT_FAILED, planned->function, ownership->vm,
			       cause->message);
	}
	g_propagate_error(error, cause);
	return FALSE;
}

static gboolean execute_all(Execution *execution, GError **error)
{
	const HvrContext *context = execution->context;
	const HvrPlan *plan = execution->plan;
	const HvrStep *step = NULL;

	if (!hvr_guarding_begin(context, plan, &execution->failed, error))
		return FALSE;
	if (!perform_steps(context, plan->first, hvr_host_timeout_ms(&context->host), &step, error))
		return FALSE;
	/* Where vfio-pci has only now been loaded, nobody could ask before; else the plan has. */
	if (plan->first->len && !hvr_container_check(context, plan->user, error))
		return FALSE;
	for (guint i = 0; i < plan->functions->len; i++) {
		const HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
		if (!execute_function(execution, planned, error))
			return FALSE;
		hvr_events_tell_device(context->events, "bound", planned->id,
				       planned->function->name);
	}
	for (guint i = 0; i < plan->functions->len; i++) {
		const HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
		GError *cause = NULL;
		if (hold_node(context, planned, &cause) && check_viable(context, planned, &cause))
			continue;
		execution->failed = planned->function;
		hvr_card_audit(context, HVR_AUDIT_FAILED, planned->function,
			       execution->ownership->vm, cause->message);
		g_propagate_error(error, cause);
		return FALSE;
	}
	return TRUE;
}

static const HvrPlanFunction *planned_for(const HvrPlan *plan, const GPtrArray *entries,
					  const HvrJournalEntry *entry)
{
	guint index = 0;

	g_ptr_array_find((GPtrArray *)entries, entry, &index);
	return g_ptr_array_index(plan->functions, index);
}

/* What was done. A card that was prepared before this plan goes back to being prepared; the rest,
 * to the host. */
static void undo(const Execution *execution, GError **error)
{
	g_autoptr(GPtrArray) order = hvr_giveback_order(execution->entries);

	for (guint i = 0; i < order->len; i++) {
		HvrJournalEntry *entry = g_ptr_array_index(order, i);
		const HvrPlanFunction *planned =
			planned_for(execution->plan, execution->entries, entry);
		g_autoptr(GError) problem = NULL;
		if (!hvr_giveback_one(execution->context, entry, planned->found, &problem))
			hvr_error_hint(error, "undoing it failed too: %s",
				       g_strdelimit(problem->message, "\n", ' '));
	}
}

gboolean hvr_execute(const HvrContext *context, const HvrPlan *plan, const HvrOwnership *ownership,
		     const HvrPciFunction **out_failed, GError **error)
{
	g_autoptr(GPtrArray) entries =
		g_ptr_array_new_with_free_func((GDestroyNotify)hvr_journal_entry_free);
	Execution execution = {
		.context = context, .plan = plan, .ownership = ownership, .entries = entries
	};
	g_autoptr(GError) cause = NULL;

	if (execute_all(&execution, &cause))
		return TRUE;
	undo(&execution, &cause);
	if (execution.broken)
		hvr_health_failed(context, execution.failed, cause);
	if (out_failed)
		*out_failed = execution.failed;
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}
