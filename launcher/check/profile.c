/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user's profile asks beyond its cards, and the last word: run's own decision.
 */
#include "launcher/check/checking.h"
#include "launcher/host/decide.h"
#include "launcher/parts/outside.h"
#include "launcher/session/warm-state.h"

#define ON_THAT_HOST "run check on that host"

static void check_memlock(HvrCheck *check)
{
	const HvrFacts *facts = check->facts;

	if (!hvr_check_ask(check, "memlock", NULL) || !hvr_judge_locks_memory(check->profile))
		return;
	if (check->context->captured)
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "memlock", ON_THAT_HOST,
			      "a captured tree has no limits of a login");
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
	gboolean any = check->profile->disks->len > 0 || check->profile->kernel;

	if (any && check->context->captured)
		hvr_check_say(check, HVR_CHECK_UNKNOWN, "files", ON_THAT_HOST,
			      "the profile's files are not in a captured tree");
	else if (hvr_check_ask(check, "files", NULL) && any)
		hvr_check_pass(check, "files", "user %s can use the profile's disks and boot files",
			       check->facts->user->name);
}

/* What of the disks a run goes on with. */
static void check_images(HvrCheck *check)
{
	const GPtrArray *notes = check->parts->images.notes;

	for (guint i = 0; notes && i < notes->len; i++) {
		const HvrImageNote *note = g_ptr_array_index(notes, i);
		HvrCheckStatus status = HVR_CHECK_WARN;

		if (note->unknown)
			status = HVR_CHECK_UNKNOWN;
		hvr_check_say(check, status, "images", note->fix, "%s", note->text);
	}
}

/* A profile that must not boot fails where a run would. */
static void check_warm(HvrCheck *check)
{
	GError *why = NULL;

	if (check->profile->warm == HVR_WARM_NO || check->context->captured)
		return;
	switch (hvr_warm_look(check->context, check->profile, &why)) {
	case HVR_WARM_LOOK_FITS:
		hvr_check_pass(check, "warm", "a state of this guest is there");
		return;
	case HVR_WARM_LOOK_NONE:
		hvr_check_pass(check, "warm",
			       "no state of this guest is there yet: the next "
			       "start boots it once to make one");
		return;
	case HVR_WARM_LOOK_ANOTHER:
	case HVR_WARM_LOOK_FAILED:
		break;
	}
	g_prefix_error(&why, "no warm start: ");
	if (check->profile->warm == HVR_WARM_REQUIRE)
		hvr_check_refuse(check, "warm", why, HVR_CHECK_SEE_RUN);
	else
		hvr_check_warn(check, "warm", why, HVR_CHECK_SEE_RUN);
}

/* What no check here is about. */
static void check_words(HvrCheck *check)
{
	g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);

	hvr_outside_describe(check->profile, notes);
	for (guint i = 0; i < notes->len; i++)
		hvr_check_say(
			check, HVR_CHECK_WARN, "qemu-args",
			"say it by sections where there is a key: [disk NAME], [device NAME], "
			"[share NAME], [firmware]",
			"%s", (const char *)g_ptr_array_index(notes, i));
}

void hvr_check_profile(HvrCheck *check)
{
	if (!check->named)
		return;
	check_memlock(check);
	check_files(check);
	check_images(check);
	check_words(check);
	if (hvr_check_ask(check, "parts", NULL))
		check_warm(check);
}

/* All that is known already need not be asked again. */
static gboolean decide(HvrCheck *check, HvrDecision *decision, GError **error)
{
	HvrDecideFor whom = { .devices = check->profile->devices,
			      .vm = check->profile->name,
			      .look = TRUE };

	decision->facts = g_steal_pointer(&check->facts);
	decision->parts = g_steal_pointer(&check->parts);
	gboolean would = hvr_decide(check->context, check->profile, &whom, decision, error);
	check->facts = g_steal_pointer(&decision->facts);
	check->parts = g_steal_pointer(&decision->parts);
	return would;
}

/* Behind another "no" it would only say that again. */
void hvr_check_decision(HvrCheck *check)
{
	g_auto(HvrDecision) decision = { 0 };
	GError *error = NULL;

	if (check->context->captured || hvr_check_exit_status(check->results) == 1)
		return;
	if (!decide(check, &decision, &error)) {
		hvr_check_refuse(check, "run", error, HVR_CHECK_SEE_RUN);
		return;
	}
	guint cards = decision.plan->cards->len, functions = decision.plan->functions->len;
	if (!hvr_check_wants_cards(check)) {
		hvr_check_pass(check, "run", "VM '%s' would start", check->profile->name);
		return;
	}
	hvr_check_pass(check, "run",
		       "VM '%s' would start with %u card%s; %u PCI function%s would change hands",
		       check->profile->name, cards, cards == 1 ? "" : "s", functions,
		       functions == 1 ? "" : "s");
}
