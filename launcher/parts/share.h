/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/parts/server.h"
#include "launcher/parts/virtiofsd.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* Folders of the host for the guest: by a virtiofsd, or by QEMU itself (9p). */

/* How one share goes to the guest on this host. */
typedef struct {
	char *program;		     /* its virtiofsd, absolute; NULL: by 9p */
	gboolean namespaces, squash; /* see HvrVirtiofsd */
	GError *problem;	     /* why none serves it although it was wanted; or NULL */
} HvrShareWay;

/**
 * hvr_share_ways - see what can serve each share. Every virtiofsd of the host is tried on it, as
 * the VM's user, until one works. Changes nothing.
 * Returns: (transfer full): array of HvrShareWay, one for each share; NULL: interrupted
 */
GPtrArray *hvr_share_ways(const HvrContext *context, const HvrProfile *profile,
			  const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* (transfer none): the way of the share at @index; NULL: by 9p, and nobody looked. */
const HvrShareWay *hvr_share_way(const HvrParts *parts, guint index);

/* What serves the share at @index; borrows. FALSE: QEMU itself. */
gboolean hvr_share_server(const HvrProfile *profile, const HvrParts *parts, guint index,
			  HvrVirtiofsd *out_server);

/**
 * hvr_shares_check - has each share with `via = virtiofs` a virtiofsd? Changes nothing.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE
 */
gboolean hvr_shares_check(const HvrContext *context, const HvrProfile *profile,
			  const HvrParts *parts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds a line for each share that is by 9p for want of a virtiofsd to @notes, of char *. */
void hvr_shares_describe(const HvrProfile *profile, const HvrParts *parts, GPtrArray *notes);

/* How the servers are started. */
typedef struct {
	const GArray *listening; /* of int, one for each share: what its server accepts QEMU on */
	int stderr_fd;		 /* what they say goes there; -1: to our own standard error */
	gboolean with_parent;	 /* see HvrSpawn */
} HvrSharesServing;

/**
 * hvr_shares_serve - start the virtiofsd of each share that has one.
 * @servers: of HvrServer; on failure those that were started are in it
 */
gboolean hvr_shares_serve(const HvrProfile *profile, const HvrParts *parts,
			  const HvrSharesServing *serving, GPtrArray *servers,
			  GError **error) G_GNUC_WARN_UNUSED_RESULT;
