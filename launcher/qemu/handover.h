/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/facts.h"
#include "launcher/host/plan.h"
#include "launcher/parts/part.h"
#include "launcher/parts/ports.h"
#include "launcher/profile/profile.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/qemu/serial-ends.h"
#include "launcher/runtime/context.h"
#include "launcher/runtime/vm.h"

/* All that QEMU is started from. Nothing is owned. */
typedef struct {
	const HvrContext *context;
	const HvrProfile *profile;
	const HvrFacts *facts;
	const HvrParts *parts;
	const HvrPlan *plan;
	const GPtrArray *locks; /* of HvrLock: they will name QEMU */
	int folder;		/* vms/NAME */
	HvrVm *record;		/* (nullable): to be written there with QEMU's process */
	gboolean incoming;	/* it begins with a guest that was saved */
	gboolean stays;		/* somebody stays with it; FALSE: we become it (--exec) */
} HvrStart;

/* Descriptors on their way to QEMU, and how its command line names them. */
typedef struct {
	HvrCmdlineChannels channels; /* borrows from what follows */
	GArray *fds;	     /* of int: what stays open in QEMU; ours are closed behind it */
	GArray *taps;	     /* of int, one for each net */
	GArray *shares;	     /* of HvrCmdlineShare, one for each share */
	GArray *listening;   /* of int, one for each share: for its virtiofsd; -1: it is by 9p */
	GArray *usbs;	     /* of int, one for each [usb] */
	GArray *inputs;	     /* of int, one for each [input] */
	HvrCmdlineShare tpm; /* what leads to its swtpm */
	GPtrArray *servers;  /* of HvrServer: those of its shares and TPM, which wait for QEMU */
	int messages;	     /* its standard error; -1: our own */
	int asides;	     /* its standard output, and its servers' errors; -1: our own */
	/* Our ends, where somebody stays, else -1: */
	int monitor;	      /* of the private monitor */
	HvrSerialEnds serial; /* of the serial port, where the profile has one */
	int output;	      /* of @messages */
	int others;	      /* of @asides */
	int control;	      /* the control socket, which listens */
	int screen;	      /* for viewers, likewise: vnc.sock, spice.sock, or [graphics] port */
	HvrPorts ports;	      /* what QEMU will take itself: held until then */
} HvrHandover;

/* With nothing in it yet. */
HvrHandover *hvr_handover_new(const HvrStart *start) G_GNUC_WARN_UNUSED_RESULT;
/* Closes what is left in it, and ends servers that are. NULL is accepted. */
void hvr_handover_free(HvrHandover *handover);

/* The name of the socket in vms/NAME/ of a screen that has no port; NULL: @profile wants none. */
const char *hvr_handover_screen_name(const HvrProfile *profile);

/* What is for whoever stays: QEMU's private monitor, its serial port, two
 * pipes for what it says, and where requests and viewers come in. */
gboolean hvr_handover_add_ours(const HvrStart *start, HvrHandover *handover,
			       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes sure of the host's ports, for whom they are: see hvr_ports_take(). */
gboolean hvr_handover_add_ports(const HvrStart *start, HvrHandover *handover,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All that does not depend on whether the launcher stays: what QEMU has of its groups' locks,
 * qmp.sock, the serial port, the agent's port, cloud-init's disk, taps, each virtiofsd and swtpm,
 * which run from then on, and what leads to them. */
gboolean hvr_handover_add_channels(const HvrStart *start, HvrHandover *handover,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;
