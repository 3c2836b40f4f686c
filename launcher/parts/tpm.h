/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/parts/part.h"
#include "launcher/parts/server.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* [tpm]: a TPM 2.0 that a swtpm is, and the file that keeps its state. */

/**
 * hvr_tpm_check - is there a swtpm that works for the VM's user, and could it use the state, or
 * could that be made? swtpm is started, and ends at once. Changes nothing.
 *
 * The state is a TPM's or empty, the VM's user's, and nobody else's to read: keys are in it.
 * Where it is thrown away (HvrProfileTpm) it is only read, and need not be there.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE: no swtpm, or one that cannot; _PROFILE, _PERMISSION: of the
 * state
 */
gboolean hvr_tpm_check(const HvrContext *context, const HvrProfile *profile, const HvrParts *parts,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the state where it is missing: an empty file of the VM's user (0600), of which swtpm makes
 * a new TPM. */
gboolean hvr_tpm_create(const HvrProfile *profile, const HvrParts *parts,
			GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How the swtpm is started. */
typedef struct {
	gboolean privileged; /* HvrContext's */
	int folder;	     /* vms/NAME: what is thrown away is in there, and goes with it */
	int fd;		     /* its end of the control channel */
	int leash;	     /* it ends when nobody has the other end of this (HvrSpawn) */
	int stderr_fd;	     /* what it says goes there; -1: to our own standard error */
	gboolean with_parent;
} HvrTpmServing;

/**
 * hvr_tpm_serve - start the swtpm of a profile that has a TPM. What is thrown away is a copy of the
 * state, or a new TPM where there is none.
 * @servers: of HvrServer
 */
gboolean hvr_tpm_serve(const HvrProfile *profile, const HvrParts *parts,
		       const HvrTpmServing *serving, GPtrArray *servers,
		       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends its argv as `print` shows it, where the profile has a TPM: it makes @path itself. */
void hvr_tpm_print(const HvrContext *context, const HvrProfile *profile, const char *path,
		   GPtrArray *argvs);
