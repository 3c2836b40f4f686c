/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/ports.h"
#include "launcher/session/boot-line.h"
#include "launcher/session/late-cards.h"
#include "launcher/session/ready.h"
#include "launcher/session/run-options.h"
#include "launcher/session/session.h"
#include "launcher/session/transfer.h"
#include "launcher/session/wake.h"

/**
 * HvrArrival - from a QEMU that was started to a guest that is ready: who is told what, and what
 * happens when it does not come. The caller's memory must outlive the session.
 */
typedef struct {
	HvrSession *session;
	const HvrRunOptions *options;
	HvrReadiness *readiness;
	HvrBootLine *boot_line; /* NULL: it is not shown how the guest boots */
	guint late;		/* timer of --wait-ready; 0: none */
	HvrPorts
		*ports; /* (nullable): kept for QEMU until it answers: it has them then; borrowed */
	gint64 begin_us;
	gboolean on_terminal; /* the guest's serial port is shown there */
	/* Of a guest that goes on, where HvrRunOptions.warm says so: */
	HvrHotplug *hotplug; /* borrowed, as @decision */
	HvrDecision *decision;
	HvrTransfer transfer;
	HvrLateCards cards;
	HvrWake wake;
	HvrGuestScript script;
	gboolean guest_ready; /* as [guest] ready says */
	gboolean cards_in;    /* TRUE where they are there from the start */
	gboolean awake;	      /* the guest was told what it is now; TRUE of one that boots */
	gboolean warmed;      /* [guest] warm-script has run; TRUE where it is not to */
	gboolean over;	      /* what QEMU answers now is nobody's */
	gboolean answered;    /* FALSE: QEMU has ended before its main loop, and so its guest */
} HvrArrival;

/* What comes. All is borrowed. */
typedef struct {
	HvrHotplug *hotplug;
	const HvrRunOptions *options;
	HvrDecision *decision; /* the VM's: of a guest that goes on its cards are yet to come */
	HvrPorts *ports;       /* (nullable): kept for QEMU, cleared once it has them */
} HvrArrivalStart;

/**
 * hvr_arrival_begin - wait for QEMU's greeting, and then for the guest.
 *
 * Shows that it lasts (progress.h). Tells the user, the events, the service manager (when the guest
 * is ready, where the profile says how to tell, else when QEMU runs), and whoever waits for
 * --detach (with --wait-ready when the guest is ready, else when QEMU runs). A QEMU that does not
 * greet, and with --wait-ready a guest that is late, is ended: session->failure says why.
 * A guest that is to be saved is, when it is ready, and then ends. One that goes on from where it
 * was saved gets its cards when it does, and is ready when it has them, too. What keeps either from
 * it is in options->warm and in session->failure, and ends QEMU; where somebody else has had
 * the VM end before, it is not.
 */
void hvr_arrival_begin(HvrArrival *arrival, const HvrArrivalStart *start);

/* Waits no more. */
void hvr_arrival_end(HvrArrival *arrival);
