/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/plan.h"
#include "launcher/profile/profile.h"
#include "launcher/qemu/channels.h"

/* The parts of hvr_cmdline_build() that add devices; see there. */

void hvr_cmdline_add_shares(GPtrArray *argv, const HvrProfile *profile,
			    const HvrCmdlineChannels *channels);
/* Does a virtiofsd serve one of them? It maps the guest's RAM, which has to be shared then. */
gboolean hvr_cmdline_shares_memory(const HvrProfile *profile, const HvrCmdlineChannels *channels);
void hvr_cmdline_add_tpm(GPtrArray *argv, const HvrProfile *profile,
			 const HvrCmdlineChannels *channels);
void hvr_cmdline_add_sound(GPtrArray *argv, const HvrProfile *profile);
/* What is passed by QEMU's input-linux. */
void hvr_cmdline_add_inputs(GPtrArray *argv, const HvrProfile *profile,
			    const HvrCmdlineChannels *channels);

/* The controller that the screen's pointer and [usb] devices are on, and the latter. */
void hvr_cmdline_add_usb(GPtrArray *argv, const HvrProfile *profile,
			 const HvrCmdlineChannels *channels);
void hvr_cmdline_add_graphics(GPtrArray *argv, const HvrProfile *profile,
			      const HvrCmdlineChannels *channels);
void hvr_cmdline_add_nets(GPtrArray *argv, const HvrProfile *profile,
			  const HvrCmdlineChannels *channels);
/* A port for each card, and the spare ones. Before all that has no place of its own, so that QEMU
 * deals out the slots around them. */
void hvr_cmdline_add_ports(GPtrArray *argv, const HvrProfile *profile, const GPtrArray *cards,
			   const HvrDialect *dialect);
void hvr_cmdline_add_cards(GPtrArray *argv, const GPtrArray *cards, const HvrDialect *dialect);

/* The descriptor of an open tap for the net at @index, or -1. */
int hvr_cmdline_tap(const HvrCmdlineChannels *channels, guint index);

/* The id of the root port that the card at @index of @cards (of HvrPlanCard) is on, and of the
 * spare port at @index. */
char *hvr_cmdline_card_port(const GPtrArray *cards, guint index) G_GNUC_WARN_UNUSED_RESULT;
char *hvr_cmdline_spare_port(guint index) G_GNUC_WARN_UNUSED_RESULT;

/* The vfio-pci device's properties, for -device and for device_add: driver, id, access, bus, and
 * what the profile says of it. The card's access is a group: of that QEMU is told the card's
 * address, and finds the node itself. */
struct _JsonObject *hvr_cmdline_card_properties(const HvrPlanCard *card,
						const char *port) G_GNUC_WARN_UNUSED_RESULT;
