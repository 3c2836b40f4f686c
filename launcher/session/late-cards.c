/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/late-cards.h"

#include "launcher/host/execute.h"
#include "launcher/host/windows.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/session/plug.h"

static void plug_next(HvrLateCards *late);

static void tell(HvrLateCards *late, const GError *error)
{
	HvrSessionDone done = late->done;

	late->done = NULL;
	if (done)
		done(error, late->user_data);
}

static void on_plugged(const GError *error, gpointer user_data)
{
	HvrLateCards *late = user_data;

	if (error)
		tell(late, error);
	else
		plug_next(late);
}

/* One that is in a slot with another has come with it. */
static gboolean is_there(const HvrLateCards *late, const HvrPlanCard *card)
{
	const HvrVmDevice *device = hvr_session_device(late->hotplug->session, card->id);

	return device && device->in_vm;
}

static void plug_next(HvrLateCards *late)
{
	const GPtrArray *cards = late->plan->cards;

	while (late->next < cards->len) {
		const HvrPlanCard *card = g_ptr_array_index(cards, late->next++);
		if (is_there(late, card))
			continue;
		const HvrProfileDevice *device = card->device;
		hvr_plug_late(late->hotplug, device->with ? device->with : device->id, late->plan,
			      on_plugged, late);
		return;
	}
	tell(late, NULL);
}

static void go_on(HvrLateCards *late)
{
	if (!late->wanted || late->preparing)
		return;
	if (late->failure)
		tell(late, late->failure);
	else
		plug_next(late);
}

/* In the worker. */
static gboolean prepare(gpointer data, GError **error)
{
	const HvrLateCards *late = data;
	const HvrSession *session = late->hotplug->session;
	const HvrOwnership ownership = { .vm = session->vm->name,
					 .owner = session->vm->supervisor };

	return hvr_execute(session->context, late->plan, &ownership, NULL, error);
}

/* The sections are on their way, and nobody else may ask for them. */
static void mark(HvrLateCards *late, gboolean on_their_way)
{
	GPtrArray *plugs = late->hotplug->plugs;

	for (guint i = 0; i < late->plan->cards->len; i++) {
		const HvrPlanCard *card = g_ptr_array_index(late->plan->cards, i);
		if (on_their_way)
			g_ptr_array_add(plugs, (gpointer)card->device);
		else
			g_ptr_array_remove_fast(plugs, (gpointer)card->device);
	}
}

/* What a worker that was ended has left, the journal says, and the end of the VM gives back. */
static void on_prepared(const GError *error, gpointer data)
{
	HvrLateCards *late = data;
	HvrSession *session = late->hotplug->session;

	late->preparing = FALSE;
	g_ptr_array_remove_fast(late->hotplug->preparing, late->worker);
	mark(late, FALSE);
	if (late->over)
		return;
	if (error)
		late->failure = g_error_copy(error);
	else
		hvr_events_tell(session->context->events, "prepared", NULL, NULL);
	go_on(late);
}

gboolean hvr_late_cards_check(const HvrProfile *profile, const HvrPlan *plan, GError **error)
{
	for (guint i = 0; i < plan->cards->len; i++) {
		const HvrPlanCard *card = g_ptr_array_index(plan->cards, i);
		HvrWindows windows = hvr_windows_of_port(profile, plan->cards, i);

		if (!windows.prefetchable && !windows.memory)
			continue;
		g_set_error(
			error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
			"[device %s] its BARs are larger than the windows that a guest has which "
			"was saved without it",
			card->id);
		return FALSE;
	}
	return TRUE;
}

void hvr_late_cards_prepare(HvrLateCards *late, HvrHotplug *hotplug, const HvrPlan *plan)
{
	*late = (HvrLateCards){ .hotplug = hotplug, .plan = plan };
	if (plan->cards->len == 0)
		return;
	late->preparing = TRUE;
	mark(late, TRUE);
	late->worker =
		hvr_worker_start(g_strdup("preparing the cards"), prepare, on_prepared, late);
	g_ptr_array_add(hotplug->preparing, late->worker);
}

void hvr_late_cards_plug(HvrLateCards *late, HvrSessionDone done, gpointer user_data)
{
	late->done = done;
	late->user_data = user_data;
	late->wanted = TRUE;
	go_on(late);
}

void hvr_late_cards_end(HvrLateCards *late)
{
	late->done = NULL;
	late->over = TRUE;
	g_clear_error(&late->failure);
}
