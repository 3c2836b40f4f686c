/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/**
 * hvr_reserve - lock what a profile names and only one VM can have: ports, images and variables of
 * UEFI that it writes to, a TPM's state, USB and input devices, its serial port's file.
 *
 * To see that nobody has them is not enough. A QEMU has them some time after its cards have moved,
 * and until then another VM would see nothing, and move its cards for nothing. These locks are
 * taken before, and kept like the cards': as long as QEMU lives. Files are locked by the folder
 * that they are in and their name there, and where they are there as what they are, whatever ways
 * lead to them; a block device by its number, and not beside the disk that it is a partition of, or
 * one of its partitions. VMs of another runtime folder, another user's, have only the ports and
 * QEMU's own locks between them.
 * @locks: of HvrLock: those that are taken are added, also where one is refused then
 * Errors: HVR_LAUNCH_ERROR_BUSY, naming key and holder; of hvr_lock_try()
 */
gboolean hvr_reserve(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
		     GPtrArray *locks, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Is what was opened what was locked, before QEMU gets it? A name may lead to another device than
 * it did when the lock was taken, or what is plugged in may be another: that one may be another
 * VM's. Judged is what is open, which stays what it is.
 * @locks: those of hvr_reserve()
 * Errors: HVR_LAUNCH_ERROR_BUSY
 */
/* @port: hvr_usb_open()'s */
gboolean hvr_reserve_has_usb(const GPtrArray *locks, const HvrProfileUsb *usb, const char *port,
			     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* @number: hvr_input_open()'s */
gboolean hvr_reserve_has_input(const GPtrArray *locks, const HvrProfileInput *input, guint64 number,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;
