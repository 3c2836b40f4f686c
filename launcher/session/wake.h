/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/guest-script.h"

/* @error: NULL: it may be used. Borrowed. Told once, never from inside hvr_wake_begin(). */
typedef void (*HvrWakeDone)(const GError *error, gpointer user_data);

/* What the guest was when it was saved. */
typedef struct {
	const char *name;      /* the VM's */
	const GPtrArray *macs; /* of char *, in the order of the profile's nets */
} HvrWakeFrom;

/* A guest is told what it is now: see below. */
typedef struct {
	HvrGuestScript script;
	const HvrProfileNet *shared; /* where it must not keep its address; NULL: nowhere */
	HvrWakeDone done;
	gpointer user_data;
} HvrWake;

/**
 * hvr_wake_begin - by the guest's agent: set its clock, and stir its random numbers with some of
 * ours (the device vmgenid has a newer kernel do that, too). Where the VM has another name than it
 * was saved with, it may be one of several, and gets a machine-id of its own; this VM's MAC
 * addresses; and its host name is the VM's, unless [cloud-init] names another. DHCP is asked anew.
 *
 * An agent that does not want one of these is let be, and told of; it is no error. But for a guest
 * that may have a MAC address of another VM on a network that others are on, where two with one
 * address are worse than a boot: HVR_LAUNCH_ERROR_UNAVAILABLE.
 * @wake: its memory must outlive the session
 * @from: (nullable): NULL: it is about to be saved, and gets the VM's name
 */
void hvr_wake_begin(HvrWake *wake, HvrSession *session, const HvrWakeFrom *from, HvrWakeDone done,
		    gpointer user_data);

/* Has the guest's shell run it? To be asked when it is over. */
gboolean hvr_wake_was_heard(const HvrWake *wake);

/* Has the guest kept an address that it should not have? To be asked when it is over. */
gboolean hvr_wake_has_stayed(const HvrWake *wake);

/* Nobody is told any more. Of one that was never begun (all 0) nothing is to be ended. */
void hvr_wake_end(HvrWake *wake);
