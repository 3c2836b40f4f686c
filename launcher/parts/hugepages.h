/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * hvr_hugepages_check - can the VM have its memory in huge pages, as [memory] hugepages wants it?
 *
 * Asks what the kernel will ask when QEMU maps the memory and touches all of it: has it pages of
 * that size, enough of them that nobody has reserved, on the node where the profile names one, and
 * does our control group allow so many. Changes nothing; what is there now may be somebody else's
 * by the time QEMU asks.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE
 */
gboolean hvr_hugepages_check(const HvrContext *context, const HvrProfile *profile,
			     const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
