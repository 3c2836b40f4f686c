/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/host/claim.h"
#include "launcher/host/windows.h"
#include "launcher/session/session.h"

/* A root port of a VM that runs. */
typedef struct {
	char *port; /* owned */
	HvrWindows windows;
} HvrPlugPort;

/**
 * hvr_plug_port - the root port for a device that comes back or joins, or for a slot of them.
 *
 * Its own, if @id was in the VM before: a guest knows a card by the slot that it is in, which is
 * HailoRT's name for it. Else a spare one that is nobody's, or one whose card has left. Of these
 * one with room for @bars: a guest has the windows that its firmware made at the start. Errors:
 * HVR_LAUNCH_ERROR_BUSY: none is free; _UNAVAILABLE: none that is free has the room
 */
gboolean hvr_plug_port(const HvrSession *session, const char *id, const HvrBars *bars,
		       HvrPlugPort *out_port, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for all that goes into one slot: those of the claim's cards whose sections are among
 * @sections (of const HvrProfileDevice, function 0 first). */
gboolean hvr_plug_port_of_slot(const HvrSession *session, const GPtrArray *sections,
			       const HvrClaim *claim, HvrPlugPort *out_port,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
