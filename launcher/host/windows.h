/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/plan.h"
#include "launcher/profile/profile.h"
#include "vfio/bars.h"

/**
 * HvrWindows - what a port asks the guest's firmware to keep behind it for cards that come later,
 * as the properties of QEMU's pcie-root-port say it (docs/pcie_pci_bridge.txt there). 0: what the
 * firmware keeps by itself, HVR_WINDOW_USUAL of each kind (SeaBIOS' PCI_BRIDGE_MEM_MIN, OVMF's
 * GetResourcePadding()).
 *
 * While a card is on a port its BARs make the window. What is asked for matters where the guest
 * boots without it: it comes back to its own port, whose window has to be there still.
 */
typedef struct {
	guint64 prefetchable; /* pref64-reserve */
	guint64 memory;	      /* mem-reserve */
} HvrWindows;

#define HVR_WINDOW_USUAL (G_GUINT64_CONSTANT(2) << 20)

/* What the window of a port is that functions which take @bars are behind. */
HvrWindows hvr_windows_for(const HvrProfile *profile, const HvrBars *bars);

/* Those of the port that the card at @index of @cards (of HvrPlanCard) is on, with all that are on
 * it. */
HvrWindows hvr_windows_of_port(const HvrProfile *profile, const GPtrArray *cards, guint index);

/* What a section's card takes: without its ROM where the guest sees none. @device: (nullable) */
HvrBars hvr_windows_bars(const HvrProfileDevice *device, const HvrBars *bars);

/* Is there room in @windows for what wants @needed? */
gboolean hvr_windows_hold(const HvrWindows *windows, const HvrWindows *needed);

/* What all ports of @cards have of 64-bit memory, in bytes. */
guint64 hvr_windows_total(const HvrProfile *profile, const GPtrArray *cards);
