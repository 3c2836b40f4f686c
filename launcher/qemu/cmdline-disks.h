/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/profile/profile.h"
#include "launcher/qemu/channels.h"

/* The parts of hvr_cmdline_build() that add disks and flash chips; see there. */

/* Its two flash chips, which -machine names: HVR_CMDLINE_FLASH. */
void hvr_cmdline_add_firmware(GPtrArray *argv, const HvrProfile *profile,
			      const HvrCmdlineChannels *channels);
#define HVR_CMDLINE_FLASH "pflash0=hvr-code,pflash1=hvr-vars"
void hvr_cmdline_add_disks(GPtrArray *argv, const HvrProfile *profile,
			   const HvrCmdlineChannels *channels);
void hvr_cmdline_add_seed(GPtrArray *argv, const HvrProfile *profile,
			  const HvrCmdlineChannels *channels);
