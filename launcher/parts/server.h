/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/privileges.h"

/**
 * HvrServer - a program that was started for QEMU: the virtiofsd of a share, the swtpm of a TPM. It
 * ends by itself when QEMU hangs up, however that ends; whoever started it sees to the rest.
 */
typedef struct HvrServer HvrServer;

/* An empty array of HvrServer. What still runs when it is freed is killed. */
GPtrArray *hvr_servers_new(void) G_GNUC_WARN_UNUSED_RESULT;

/* How a server is started: HvrSpawn is made of it. */
typedef struct {
	const char *what; /* as a message names it: "share work: virtiofsd" */
	const char *lost; /* what its early end means: "the guest cannot use it any more"; static */
	const char *path;
	const GPtrArray *argv; /* with a NULL as the last */
	HvrIdentity identity;
	const int *fds; /* it inherits these, beside /dev/null as 0 and 1 */
	guint n_fds;
	int stderr_fd;	      /* becomes 2; -1: our own */
	gboolean with_parent; /* see HvrSpawn */
	int leash;	      /* see there, too */
} HvrServerSpawn;

/* Starts one more, in a session of its own. Errors: of hvr_spawn() */
gboolean hvr_servers_add(GPtrArray *servers, const HvrServerSpawn *wanted,
			 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From now on one that ends otherwise than by QEMU's hanging up is told of, once. Attached to the
 * default main context. */
void hvr_servers_watch(GPtrArray *servers);

/* QEMU has ended: waits for them, not for long, and frees the array. */
void hvr_servers_end(GPtrArray *servers);
