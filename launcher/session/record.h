/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/decide.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/vm.h"

/**
 * hvr_record_make - the record of a VM that is about to start, not written yet.
 * @supervised: this process stays with it; else this process becomes its QEMU (--exec)
 * Returns: (transfer full)
 */
HvrVm *hvr_record_make(const HvrContext *context, const HvrProfile *profile,
		       const HvrDecision *decision, gboolean supervised) G_GNUC_WARN_UNUSED_RESULT;
