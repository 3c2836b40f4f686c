/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* [input NAME]: keyboards and pointers of this host, which QEMU's input-linux passes to the guest.
 */

/**
 * hvr_input_open - the node of an [input], opened for reading and writing as the VM's user, and
 * seen to be evdev's: QEMU takes it from the host with EVIOCGRAB when it is told to.
 * @out_number: (nullable): which one it is (st_rdev), under whatever name
 * Returns: a descriptor, O_NONBLOCK, or -1
 * Errors: HVR_LAUNCH_ERROR_PERMISSION; _UNAVAILABLE: it is not there, or no evdev
 */
int hvr_input_open(const HvrProfileInput *input, const HvrUser *user, guint64 *out_number,
		   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_input_check_alone - is the input of number @index in the profile none of those before it?
 * QEMU would take it twice: the guest has each key twice, and which of the two leads is chance.
 * @numbers: of each up to @index, hvr_input_open()'s. Pure.
 * Errors: HVR_LAUNCH_ERROR_PROFILE
 */
gboolean hvr_input_check_alone(const HvrProfile *profile, const guint64 *numbers, guint index,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Is each there, another one, and of no device that a [usb] takes, and can the VM's user open it?
 * Errors: of hvr_input_open() and hvr_input_check_alone(); HVR_LAUNCH_ERROR_PROFILE */
gboolean hvr_input_check(const HvrContext *context, const HvrProfile *profile,
			 const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
