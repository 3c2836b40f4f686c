/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/host/windows.h"

/* Of one kind. OVMF rounds up to a power of two and puts the window at a multiple of it. SeaBIOS
 * takes any size and puts it at a multiple of what is behind the port, which is nothing then: twice
 * as much has room for the largest BAR wherever it begins. */
static guint64 window(const HvrProfile *profile, guint64 bytes)
{
	if (bytes <= HVR_WINDOW_USUAL)
		return 0;
	if (profile->firmware.uefi)
		return hvr_bars_window(bytes);
	return (bytes * 2 + HVR_WINDOW_USUAL - 1) / HVR_WINDOW_USUAL * HVR_WINDOW_USUAL;
}

HvrWindows hvr_windows_for(const HvrProfile *profile, const HvrBars *bars)
{
	return (HvrWindows){ .prefetchable = window(profile, bars->prefetchable),
			     .memory = window(profile, bars->memory + bars->rom) };
}

HvrBars hvr_windows_bars(const HvrProfileDevice *device, const HvrBars *bars)
{
	HvrBars seen = *bars;

	if (device && !device->rombar)
		seen.rom = 0;
	return seen;
}

/* Is @card on the port of @first? */
static gboolean is_behind(const HvrPlanCard *card, const HvrPlanCard *first)
{
	return card == first || (card->device && g_strcmp0(card->device->with, first->id) == 0);
}

HvrWindows hvr_windows_of_port(const HvrProfile *profile, const GPtrArray *cards, guint index)
{
	const HvrPlanCard *first = g_ptr_array_index(cards, index);
	HvrBars sum = { 0 };

	for (guint i = 0; first->device && first->device->with && i < index; i++) {
		const HvrPlanCard *other = g_ptr_array_index(cards, i);
		if (g_str_equal(other->id, first->device->with))
			return hvr_windows_of_port(profile, cards, i);
	}
	for (guint i = 0; i < cards->len; i++) {
		const HvrPlanCard *card = g_ptr_array_index(cards, i);
		HvrBars bars = hvr_windows_bars(card->device, &card->bars);
		if (is_behind(card, first))
			hvr_bars_add(&sum, &bars);
	}
	return hvr_windows_for(profile, &sum);
}

gboolean hvr_windows_hold(const HvrWindows *windows, const HvrWindows *needed)
{
	return windows->prefetchable >= needed->prefetchable && windows->memory >= needed->memory;
}

guint64 hvr_windows_total(const HvrProfile *profile, const GPtrArray *cards)
{
	guint64 total = 0;

	for (guint i = 0; cards && i < cards->len; i++) {
		const HvrPlanCard *card = g_ptr_array_index(cards, i);
		if (!card->device || !card->device->with)
			total += hvr_windows_of_port(profile, cards, i).prefetchable;
	}
	return total;
}
