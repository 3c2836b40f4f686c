/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/user.h"
#include "launcher/profile/profile.h"
#include "launcher/session/relay.h"
#include "launcher/session/run-options.h"
#include "launcher/session/serial-hub.h"

/* What a supervisor has of its VM's serial port: the hub, and where the profile wants it, this
 * process' own standard input and output as its foreground. */
typedef struct {
	HvrSerialHub *hub; /* NULL: the profile has no port */
	HvrRelay *relay;   /* NULL: nobody is in the foreground */
	int foreground;	   /* its end of the port; -1 */
} HvrSerialHeld;

/**
 * hvr_serial_hold - from before the VM says its first word.
 * @ends: of hvr_start_qemu(); taken
 */
void hvr_serial_hold(HvrSerialHeld *held, HvrSerialEnds *ends, const HvrProfile *profile,
		     const HvrRunOptions *options);

/* When QEMU has ended: the terminal is put back, and what is still in the port is recorded. */
void hvr_serial_held_stop(HvrSerialHeld *held);

/* Whether the file of [serial] mode = file has all of it: hvr_serial_file_tell_lost(). */
void hvr_serial_held_judge(const HvrSerialHeld *held, const HvrProfile *profile,
			   const HvrUser *user);

/* The foreground gets its last words, for which it has two seconds, and all others the end. */
void hvr_serial_held_clear(HvrSerialHeld *held);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HvrSerialHeld, hvr_serial_held_clear)
