/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user's profile asks beyond its cards, and the last word: run's own decision.
 */
#include "launcher/check/checking.h"
#include "launcher/host/decide.h"
#include "launcher/host/judge.h"

static void check_memlock(HvrCheck *check)
{
	const HvrFacts *facts = check->facts;
	GError *error = NULL;

	if (check->claim->cards->len == 0 && !check->profile->memory.locked)
		return;
	if (!hvr_judge_memlock(check->profile, facts, &error))
		hvr_check_refuse(check, HVR_CHECK_FAIL, "memlock", error, HVR_CHECK_SEE_RUN);
	else if (facts->memlock_max == G_MAXUINT64)
		hvr_check_pass(check, "memlock", "no limit");
	else
		hvr_check_pass(check, "memlock",
			       "user %s may lock %" G_GUINT64_FORMAT
			       " MiB, and the VM locks %" G_GUINT64_FORMAT " MiB",
			       facts->user->name, facts->memlock_max >> 20,
			       check->profile->memory_bytes >> 20);
}

static void check_files(HvrCheck *check)
{
	GError *error = NULL;

	if (!hvr_judge_files(check->parts, &error))
		hvr_check_refuse(check, HVR_CHECK_FAIL, "files", error, HVR_CHECK_SEE_RUN);
	else if (check->profile->disks->len || check->profile->kernel)
		hvr_check_pass(check, "files", "user %s can use the profile's disks and boot files",
			       check->facts->user->name);
}

void hvr_check_profile(HvrCheck *check)
{
	GError *error = NULL;

	if (!check->named || check->context->captured)
		return;
	check_memlock(check);
	check_files(check);
	if (!hvr_judge_parts(check->parts, &error))
		hvr_check_refuse(check, HVR_CHECK_FAIL, "parts", error, HVR_CHECK_SEE_RUN);
}

/* Behind another "no" it would only say that again. */
void hvr_check_decision(HvrCheck *check)
{
	HvrDecideFor whom = { .devices = check->profile->devices,
			      .vm = check->profile->name,
			      .look = TRUE };
	g_auto(HvrDecision) decision = { 0 };
	GError *error = NULL;

	if (check->context->captured || hvr_check_exit_status(check->results) == 1)
		return;
	if (!hvr_decide(check->context, check->profile, &whom, &decision, &error)) {
		hvr_check_refuse(check, HVR_CHECK_FAIL, "run", error, HVR_CHECK_SEE_RUN);
		return;
	}
	guint cards = decision.plan->cards->len, functions = decision.plan->functions->len;
	hvr_check_pass(check, "run",
		       "VM '%s' would start with %u card%s; %u PCI function%s would change hands",
		       check->profile->name, cards, cards == 1 ? "" : "s", functions,
		       functions == 1 ? "" : "s");
}
