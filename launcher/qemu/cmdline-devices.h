/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/qemu/cmdline.h"

/* The parts of hvr_cmdline_build() that add devices; see there. */

/* Its two flash chips, which -machine names: HVR_CMDLINE_FLASH. */
void hvr_cmdline_add_firmware(GPtrArray *argv, const HvrProfile *profile,
			      const HvrFirmware *firmware);
#define HVR_CMDLINE_FLASH "pflash0=hvr-code,pflash1=hvr-vars"
void hvr_cmdline_add_disks(GPtrArray *argv, const HvrProfile *profile);
void hvr_cmdline_add_seed(GPtrArray *argv, const HvrProfile *profile,
			  const HvrCmdlineChannels *channels);
void hvr_cmdline_add_shares(GPtrArray *argv, const HvrProfile *profile,
			    const HvrCmdlineChannels *channels);
/* Does a virtiofsd serve one of them? It maps the guest's RAM, which has to be shared then. */
gboolean hvr_cmdline_shares_memory(const HvrProfile *profile, const HvrCmdlineChannels *channels);
void hvr_cmdline_add_graphics(GPtrArray *argv, const HvrProfile *profile);
void hvr_cmdline_add_nets(GPtrArray *argv, const HvrProfile *profile,
			  const HvrCmdlineChannels *channels);
void hvr_cmdline_add_serial(GPtrArray *argv, const HvrProfile *profile,
			    const HvrCmdlineChannels *channels);
void hvr_cmdline_add_agent(GPtrArray *argv, const HvrProfile *profile,
			   const HvrCmdlineChannels *channels);
void hvr_cmdline_add_cards(GPtrArray *argv, const GPtrArray *cards);

/* The descriptor of an open tap for the net at @index, or -1. */
int hvr_cmdline_tap(const HvrCmdlineChannels *channels, guint index);
