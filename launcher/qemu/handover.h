/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/facts.h"
#include "launcher/host/plan.h"
#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/qemu/cmdline.h"
#include "launcher/runtime/context.h"

/* All that QEMU is started from. Nothing is owned. */
typedef struct {
	const HvrContext *context;
	const HvrProfile *profile;
	const HvrFacts *facts;
	const HvrParts *parts;
	const HvrPlan *plan;
	const GPtrArray *locks; /* of HvrLock: they will name QEMU */
	int folder;		/* vms/NAME */
} HvrStart;

/* Descriptors on their way to QEMU, and how its command line names them. */
typedef struct {
	HvrCmdlineChannels channels; /* borrows from what follows */
	GArray *fds;	   /* of int: what stays open in QEMU; ours are closed behind it */
	GArray *taps;	   /* of int, one for each net */
	GArray *shares;	   /* of HvrCmdlineShare, one for each share */
	GArray *listening; /* of int, one for each share: for its virtiofsd; -1: it is by 9p */
} HvrHandover;

/* With nothing in it yet. */
HvrHandover hvr_handover_new(const HvrStart *start) G_GNUC_WARN_UNUSED_RESULT;
void hvr_handover_clear(HvrHandover *handover);

/**
 * hvr_handover_add_monitor - QEMU's private monitor.
 * @out_ours: our end, which the caller closes
 */
gboolean hvr_handover_add_monitor(HvrHandover *handover, int *out_ours,
				  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_handover_add_relay - the other end of QEMU's serial port, for [serial] mode = stdio.
 * @out_ours: our end, which the caller closes; -1 with another mode
 */
gboolean hvr_handover_add_relay(const HvrStart *start, HvrHandover *handover, int *out_ours,
				GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All that does not depend on whether the launcher stays: what QEMU has of its groups' locks,
 * qmp.sock, the serial port, the agent's port, cloud-init's disk, taps, and what leads to each
 * virtiofsd. */
gboolean hvr_handover_add_channels(const HvrStart *start, HvrHandover *handover,
				   GError **error) G_GNUC_WARN_UNUSED_RESULT;
