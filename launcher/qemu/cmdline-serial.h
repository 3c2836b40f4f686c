/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/qemu/channels.h"

/* The parts of hvr_cmdline_build() that add the ports over which a guest talks; see there. */

void hvr_cmdline_add_serial(GPtrArray *argv, const HvrProfile *profile,
			    const HvrCmdlineChannels *channels);
void hvr_cmdline_add_agent(GPtrArray *argv, const HvrProfile *profile,
			   const HvrCmdlineChannels *channels);
