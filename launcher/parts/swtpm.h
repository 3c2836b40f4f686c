/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/process/privileges.h"
#include "vfio/host.h"

/* A swtpm and the state of the one TPM 2.0 that it is. Borrows all. */
typedef struct {
	const char *program;  /* absolute */
	const char *state;    /* its file; without a comma */
	HvrIdentity identity; /* who it runs as: the VM's user */
} HvrSwtpm;

/* (transfer full): where it is, or NULL: as hvr_program_find(). */
char *hvr_swtpm_find(gboolean privileged) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_swtpm_argv - its command line. Pure.
 * @fd: its end of hvr_swtpm_connect(), which it inherits under this number; -1: it makes @path
 * Returns: (transfer full): strings, and a NULL as the last
 */
GPtrArray *hvr_swtpm_argv(const HvrSwtpm *swtpm, int fd,
			  const char *path) G_GNUC_WARN_UNUSED_RESULT;

/* The two ends of its control channel, by which QEMU gives it another for commands. The caller
 * closes both. */
gboolean hvr_swtpm_connect(int *out_swtpm, int *out_qemu, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_swtpm_try - does it start, understand these words and answer? It is started as for a VM, and
 * the first that it is told is to end. Its state is not touched.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE; of hvr_program_run()
 */
gboolean hvr_swtpm_try(const HvrSwtpm *swtpm, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_swtpm_is_state - does @fd hold the state of a TPM, or nothing yet? swtpm itself does not ask:
 * it makes a new TPM over whatever else it is (swtpm_nvstore_linear.c, "Formatting ... as new
 * linear NVRAM store").
 */
gboolean hvr_swtpm_is_state(int fd) G_GNUC_WARN_UNUSED_RESULT;
