/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/late-cards.h"

#include "launcher/session/plug.h"

static void plug_next(HvrLateCards *late);

static void on_plugged(const GError *error, gpointer user_data)
{
	HvrLateCards *late = user_data;

	if (error)
		late->done(error, late->user_data);
	else
		plug_next(late);
}

static void plug_next(HvrLateCards *late)
{
	const GPtrArray *devices = late->hotplug->session->profile->devices;

	if (late->next == devices->len) {
		late->done(NULL, late->user_data);
		return;
	}
	const HvrProfileDevice *device = g_ptr_array_index(devices, late->next++);
	hvr_plug(late->hotplug, device->id, on_plugged, late);
}

void hvr_late_cards_plug(HvrLateCards *late, HvrHotplug *hotplug, HvrSessionDone done,
			 gpointer user_data)
{
	*late = (HvrLateCards){ .hotplug = hotplug, .done = done, .user_data = user_data };
	plug_next(late);
}
