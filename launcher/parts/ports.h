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
 * bound: nobody else gets it, and who connects is refused, as before QEMU runs.
 * Errors: HVR_LAUNCH_ERROR_BUSY: somebody has it, and who, where that can be seen; _PERMISSION: the
 * user may not listen there (below net.ipv4.ip_unprivileged_port_start); _UNAVAILABLE: the address
 * is not one of this host's, or another cause. Then none is taken.
 */
gboolean hvr_ports_take(const HvrContext *context, const HvrProfile *profile, const HvrUser *user,
			HvrPorts *out_ports, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets go of them, as QEMU is to take them. */
void hvr_ports_clear(HvrPorts *ports);

/* Could they all be had now? What is taken for it is let go at once. Errors: as above */
gboolean hvr_ports_check(const HvrContext *context, const HvrProfile *profile,
			 const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
