/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard, from the plan to the kernel. What counts is what the module itself says of each card,
 * after it was loaded, and not that it was.
 */
#include "launcher/host/guarding.h"

#include "launcher/report/error.h"
#include "launcher/report/message.h"
#include "vfio/guard.h"
#include "vfio/step.h"

#define NOT_KEPT "module " HVR_GUARD_MODULE " does not keep bus resets from it"

static gboolean is_required(const HvrPlanFunction *planned)
{
	/* A companion is another card, whose ids the module need not be told of. */
	return g_strcmp0(planned->id, planned->device->id) == 0 &&
	       planned->device->reset_guard == HVR_RESET_GUARD_REQUIRE;
}

static gboolean refuse(const HvrPlanFunction *planned, const GError *cause, GError **error)
{
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "%s: reset-guard = require, and %s", planned->function->name,
		    cause ? cause->message : NOT_KEPT);
	hvr_error_hint(error, "see the kernel's log; with Secure Boot the module has to be signed "
			      "by a key that is enrolled");
	return FALSE;
}

gboolean hvr_guarding_begin(const HvrContext *context, const HvrPlan *plan,
			    const HvrPciFunction **out_failed, GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (plan->guard)
		hvr_step_perform(&context->host, plan->guard, hvr_host_timeout_ms(&context->host),
				 &cause);
	g_autoptr(HvrGuard) guard = hvr_guard_look(&context->host);
	for (guint i = 0; i < plan->functions->len; i++) {
		const HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
		if (planned->guarding == HVR_GUARDING_NONE ||
		    hvr_guard_keeps(guard, planned->function))
			continue;
		if (is_required(planned)) {
			*out_failed = planned->function;
			return refuse(planned, cause, error);
		}
		hvr_message("warning: %s: %s: bus resets still reach it", planned->function->name,
			    cause ? cause->message : NOT_KEPT);
	}
	return TRUE;
}
