/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "qmp/client.h"

/**
 * HvrShutdown - the end of a VM in stages, each with its deadline:
 * ACPI power-down -> QMP quit -> SIGKILL. The end itself is told by QEMU's pidfd.
 */
typedef struct HvrShutdown HvrShutdown;

/* How long the guest has for its own way down, and QEMU for its end. The latter may sit in the
 * kernel for a minute while a card is being reset (PCIE_RESET_READY_POLL_MS is 60 s). */
#define HVR_SHUTDOWN_POWERDOWN_MS 30000
#define HVR_SHUTDOWN_QUIT_MS	  75000

/* @pidfd stays the caller's. */
HvrShutdown *hvr_shutdown_new(HvrQmpClient *qmp, int pidfd);
void hvr_shutdown_free(HvrShutdown *shutdown);

/**
 * hvr_shutdown_begin - start with the power-down, or with quit when @force.
 * Under way already: does nothing, unless @force, which goes on to quit at once.
 */
void hvr_shutdown_begin(HvrShutdown *shutdown, gboolean force, guint powerdown_ms);

/* The next stage now. */
void hvr_shutdown_hurry(HvrShutdown *shutdown);
