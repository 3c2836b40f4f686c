/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"

/* A port of this host. */
typedef struct {
	gboolean udp;
	const char *address; /* IPv4; 0.0.0.0: of all addresses */
	guint number;
} HvrPort;

/**
 * hvr_port_holder - who has it, for a message: "VM 'lab'", or "sshd (pid 812)".
 * Looks for the socket in /proc/net, and for the socket in every /proc/PID/fd, of which only root
 * sees those of others. Linear in the number of open descriptors of the host.
 * Returns: (transfer full): NULL: it cannot be seen
 */
char *hvr_port_holder(const HvrContext *context, const HvrPort *port) G_GNUC_WARN_UNUSED_RESULT;
