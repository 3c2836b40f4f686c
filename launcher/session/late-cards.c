/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/late-cards.h"

#include "launcher/host/windows.h"
#include "launcher/report/error.h"
#include "launcher/report/events.h"
#include "launcher/session/plug-port.h"
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
static gboolean is_there(const HvrLateCards *late, const HvrProfileDevice *section)
{
	const HvrVmDevice *device = hvr_session_device(late->hotplug->session, section->id);

	return device && device->in_vm;
}

static void plug_next(HvrLateCards *late)
{
	const HvrPlugLate prepared = { .claim = late->decision->claim,
				       .qemu_has_locks = !late->prepare.anew };
	const GPtrArray *cards = prepared.claim->cards;

	while (late->next < cards->len) {
		const HvrClaimedCard *card = g_ptr_array_index(cards, late->next++);
		const HvrProfileDevice *device = card->device;
		if (is_there(late, device))
			continue;
		hvr_plug_late(late->hotplug, device->with ? device->with : device->id, &prepared,
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

/* The sections are on their way, and nobody else may ask for them. */
static void mark(HvrLateCards *late, gboolean on_their_way)
{
	const GPtrArray *devices = late->hotplug->session->profile->devices;
	GPtrArray *plugs = late->hotplug->plugs;

	for (guint i = 0; i < devices->len; i++)
		if (on_their_way)
			g_ptr_array_add(plugs, devices->pdata[i]);
		else
			g_ptr_array_remove_fast(plugs, devices->pdata[i]);
}

/* Of those that were chosen anew: the first ones were looked at before QEMU began. */
static gboolean fits(HvrPrepare *prepare, const HvrPciFunction **out_failed, GError **error)
{
	const HvrSession *session = prepare->hotplug->session;
	const HvrClaim *claim = prepare->decision->claim;

	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		HvrPlugPort port = { 0 };
		if (card->device->with)
			continue;
		g_autoptr(GPtrArray) slot = hvr_profile_slot_of(session->profile, card->device);
		if (!hvr_plug_port_of_slot(session, slot, claim, &port, error)) {
			*out_failed = card->function;
			return FALSE;
		}
		g_free(port.port);
	}
	return TRUE;
}

/* What a worker that was ended has left, the journal says, and the end of the VM gives back. */
static void on_prepared(const GError *error, gpointer user_data)
{
	HvrLateCards *late = user_data;
	HvrSession *session = late->hotplug->session;

	late->preparing = FALSE;
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

void hvr_late_cards_prepare(HvrLateCards *late, HvrHotplug *hotplug, HvrDecision *decision)
{
	*late = (HvrLateCards){ .hotplug = hotplug, .decision = decision };
	if (decision->claim->cards->len == 0)
		return;
	late->preparing = TRUE;
	mark(late, TRUE);
	late->prepare = (HvrPrepare){ .hotplug = hotplug,
				      .devices = hotplug->session->profile->devices,
				      .decision = decision,
				      .fits = fits,
				      .done = on_prepared,
				      .user_data = late };
	g_autoptr(GError) error = NULL;
	if (!hvr_prepare_begin(&late->prepare, &error))
		on_prepared(error, late);
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
