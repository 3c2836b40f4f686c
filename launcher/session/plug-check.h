/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "launcher/session/hotplug.h"

/**
 * hvr_plug_sections - what is meant by `plug VM NAME`: the sections of a slot, function 0 first.
 * Errors: HVR_LAUNCH_ERROR_USAGE for a name that no section has, that is in the VM already, or that
 * is not function 0's; _BUSY while one of them is on its way; _UNAVAILABLE when QEMU has ended
 * Returns: [transfer container] array of const HvrProfileDevice
 */
GPtrArray *hvr_plug_sections(const HvrHotplug *hotplug, const char *name,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
