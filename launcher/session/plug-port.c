/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launcher/session/plug-port.h"

#include "launcher/profile/machine.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/report/error.h"

static gboolean port_taken(const HvrSession *session, const char *port)
{
	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (device->in_vm && g_str_equal(device->port, port))
			return TRUE;
	}
	return FALSE;
}

/* Has one that is in the VM, or was, this for its own? */
static gboolean port_owned(const HvrSession *session, const char *port)
{
	for (guint i = 0; i < session->vm->devices->len; i++) {
		const HvrVmDevice *device = g_ptr_array_index(session->vm->devices, i);
		if (g_str_equal(device->port, port))
			return TRUE;
	}
	return FALSE;
}

/* What is asked for, and what was found. */
typedef struct {
	const HvrSession *session;
	const HvrWindows *needed;
	HvrPlugPort *found;
	gboolean small; /* a port was free, and its window too small */
} Search;

/* @windows: of this port, which is free */
static gboolean take(Search *search, const char *port, const HvrWindows *windows)
{
	if (!hvr_windows_hold(windows, search->needed)) {
		search->small = TRUE;
		return FALSE;
	}
	search->found->port = g_strdup(port);
	search->found->windows = *windows;
	return TRUE;
}

/* The one that @device has, or had. */
static gboolean take_port_of(Search *search, const HvrVmDevice *device)
{
	const HvrWindows windows = { .prefetchable = device->prefetchable,
				     .memory = device->memory };

	return !port_taken(search->session, device->port) && take(search, device->port, &windows);
}

static gboolean take_any(Search *search, const char *id)
{
	const HvrWindows usual = { 0 };
	const HvrVmDevice *before = hvr_session_device(search->session, id);
	const GPtrArray *devices = search->session->vm->devices;

	if (before && take_port_of(search, before))
		return TRUE;
	for (guint i = 0; i < HVR_MACHINE_SPARE_PORTS; i++) {
		g_autofree char *port = hvr_cmdline_spare_port(i);
		if (!port_owned(search->session, port) && take(search, port, &usual))
			return TRUE;
	}
	for (guint i = 0; i < devices->len; i++)
		if (take_port_of(search, g_ptr_array_index(devices, i)))
			return TRUE;
	return FALSE;
}

/* Rounded up. */
static guint64 in_mib(guint64 bytes)
{
	return (bytes + (1 << 20) - 1) >> 20;
}

gboolean hvr_plug_port(const HvrSession *session, const char *id, const HvrBars *bars,
		       HvrPlugPort *out_port, GError **error)
{
	const HvrWindows needed = hvr_windows_for(session->profile, bars);
	Search search = { .session = session, .needed = &needed, .found = out_port };

	if (take_any(&search, id))
		return TRUE;
	if (!search.small) {
		g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_BUSY,
			    "VM '%s' has no free port left", session->vm->name);
		return FALSE;
	}
	g_set_error(error, HVR_LAUNCH_ERROR, HVR_LAUNCH_ERROR_UNAVAILABLE,
		    "device '%s': its BARs take %" G_GUINT64_FORMAT " MiB of 64-bit memory and "
		    "%" G_GUINT64_FORMAT " MiB of other, and no free port of VM '%s' has windows "
		    "for them",
		    id, in_mib(bars->prefetchable), in_mib(bars->memory + bars->rom),
		    session->vm->name);
	hvr_error_hint(error, "start the VM anew with this card: its port gets them then");
	return FALSE;
}

gboolean hvr_plug_port_of_slot(const HvrSession *session, const GPtrArray *sections,
			       const HvrClaim *claim, HvrPlugPort *out_port, GError **error)
{
	const HvrProfileDevice *first = g_ptr_array_index(sections, 0);
	HvrBars sum = { 0 };

	for (guint i = 0; i < claim->cards->len; i++) {
		const HvrClaimedCard *card = g_ptr_array_index(claim->cards, i);
		HvrBars bars;
		if (!g_ptr_array_find((GPtrArray *)sections, card->device, NULL))
			continue;
		hvr_bars_read(&session->context->host, card->function->name, &bars);
		bars = hvr_windows_bars(card->device, &bars);
		hvr_bars_add(&sum, &bars);
	}
	return hvr_plug_port(session, first->id, &sum, out_port, error);
}
