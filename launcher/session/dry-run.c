/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/dry-run.h"

#include <stdio.h>

#include "launcher/host/decide.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/qemu/start.h"
#include "launcher/report/message.h"
#include "launcher/report/text.h"
#include "vfio/step.h"

void hvr_dry_run_notes(const HvrPlan *plan)
{
	for (guint i = 0; i < plan->notes->len; i++)
		hvr_message("%s", (const char *)g_ptr_array_index(plan->notes, i));
}

static void show_step(const HvrStep *step)
{
	g_autofree char *text = hvr_step_describe(step);
	g_autofree char *safe = hvr_text_safe(text);

	printf("%s\n", safe);
}

static void show_steps(const GPtrArray *steps)
{
	for (guint i = 0; i < steps->len; i++)
		show_step(g_ptr_array_index(steps, i));
}

gboolean hvr_dry_run(HvrContext *context, const HvrProfile *profile, gboolean changes,
		     GError **error)
{
	g_auto(HvrDecision) decision = { 0 };
	const HvrDecideFor whom = { .devices = profile->devices,
				    .vm = profile->name,
				    .look = TRUE,
				    .wait_s = HVR_CLAIM_NO_WAIT };
	g_autoptr(GPtrArray) servers =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);

	hvr_context_open_runtime(context, FALSE, NULL);
	if (!hvr_decide(context, profile, &whom, &decision, error))
		return FALSE;
	const HvrPlan *plan = decision.plan;
	g_autoptr(GPtrArray) argv = hvr_start_argv(context, profile, decision.parts, plan);
	g_autofree char *line = hvr_cmdline_quote(argv);
	if (changes) {
		hvr_dry_run_notes(plan);
		if (plan->guard)
			show_step(plan->guard);
		show_steps(plan->first);
		for (guint i = 0; i < plan->functions->len; i++) {
			const HvrPlanFunction *planned = g_ptr_array_index(plan->functions, i);
			show_steps(planned->steps);
		}
	}
	/* As a shell would start them, before QEMU connects to them. */
	hvr_start_servers(context, profile, decision.parts, servers);
	for (guint i = 0; i < servers->len; i++) {
		g_autofree char *server = hvr_cmdline_quote(g_ptr_array_index(servers, i));
		printf("%s &\n", server);
	}
	printf("%s\n", line);
	return TRUE;
}
