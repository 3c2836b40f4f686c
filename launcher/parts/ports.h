/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* The ports of the host that a VM listens on: those of its forwards, and its screen's. */
typedef struct {
	int screen;	  /* listens, for [graphics] port; -1: there is none */
	GArray *forwards; /* of int: bound and deaf, until QEMU has them itself; NULL: none */
	GArray *numbers;  /* of guint16: which they are, see hvr_ports_number(); NULL: none */
} HvrPorts;

#define HVR_PORTS_INIT                                                                             \
	{                                                                                          \
		.screen = -1                                                                       \
	}

/**
 * hvr_ports_take - have them all, as the VM's user, who may listen where QEMU may.
 *
 * TCP is bound and listened on as QEMU and its slirp do, with SO_REUSEADDR, UDP without: what is
 * refused here would have been refused there. A forward's port then stops listening, and stays
 * bound: nobody else gets it, and who connects is refused, as before QEMU runs. One that is to be
 * chosen is chosen here: a forward's by the kernel, a screen's from 5900 up.
 * Errors: HVR_LAUNCH_ERROR_BUSY: somebody has it, and who, where that can be seen; _PERMISSION: the
 * user may not listen there (below net.ipv4.ip_unprivileged_port_start); _UNAVAILABLE: the address
 * is not one of this host's, or another cause. Then none is taken.
 */
gboolean hvr_ports_take(const HvrContext *context, const HvrProfile *profile, const HvrUser *user,
			HvrPorts *out_ports, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_ports_loosen - QEMU is about to take them.
 *
 * TCP ones are still kept from everybody who asks for any port, or does without SO_REUSEADDR: that
 * is what QEMU's slirp binds with. So between here and hvr_ports_clear(), once QEMU has them, only
 * who wants that very port could come first, and of our own nobody does (hvr_reserve()). UDP knows
 * no such way, and they are let go.
 */
void hvr_ports_loosen(HvrPorts *ports);

/* Lets go of them. */
void hvr_ports_clear(HvrPorts *ports);

/* The screen's place in HvrPorts.numbers; hvr_profile_forward() number i is behind it, at i + 1. */
#define HVR_PORTS_SCREEN 0

/* What was taken at place @i. @numbers: (nullable): until something was taken
 * Returns: 0: nothing */
guint16 hvr_ports_number(const GArray *numbers, guint i);

/* Could they all be had now? What is taken for it is let go at once. Errors: as above */
gboolean hvr_ports_check(const HvrContext *context, const HvrProfile *profile,
			 const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
