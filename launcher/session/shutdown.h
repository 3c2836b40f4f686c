/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "qmp/client.h"

/**
 * HvrShutdown - the end of a VM in stages, each with its deadline:
 * ACPI power-down -> QMP quit -> SIGKILL. The end itself is told by QEMU's pidfd.
 */
typedef struct HvrShutdown HvrShutdown;

/* How far it has come. QEMU's end is the doing of the last one. */
typedef enum {
	HVR_SHUTDOWN_NONE,
	HVR_SHUTDOWN_POWERDOWN,
	HVR_SHUTDOWN_QUIT,
	HVR_SHUTDOWN_KILL,
	HVR_SHUTDOWN_STAGES,
} HvrShutdownStage;

/* How long the stages may take before the next one begins, in milliseconds. */
typedef struct {
	guint powerdown_ms; /* 0: the guest is not asked */
	guint quit_ms;
} HvrShutdownTimes;

/* Where nobody has said how long: the guest's own way down, and QEMU's end. The latter may sit in
 * the kernel for a minute while a card is being reset (PCIE_RESET_READY_POLL_MS is 60 s), and so
 * may one that was killed: it is gone when that is over. */
#define HVR_SHUTDOWN_POWERDOWN_MS 30000
#define HVR_SHUTDOWN_QUIT_MS	  75000
#define HVR_SHUTDOWN_KILL_MS	  75000

/**
 * hvr_shutdown_split - a whole time, as `stop --timeout` gives it, in stages: the last fifth of it,
 * at most 5 s, is QEMU's, to write out what it has of the disks; what is before that is the
 * guest's. When it is over comes SIGKILL.
 * @force: all of it is QEMU's
 */
HvrShutdownTimes hvr_shutdown_split(guint whole_ms, gboolean force);

/* The same from the guest's part of it, which is what a request to stop says. Rounding loses a
 * millisecond at most. */
HvrShutdownTimes hvr_shutdown_from_powerdown(guint powerdown_ms, gboolean force);

/* @pidfd stays the caller's. */
HvrShutdown *hvr_shutdown_new(HvrQmpClient *qmp, int pidfd);
void hvr_shutdown_free(HvrShutdown *shutdown);

/* Told when a QEMU that was killed is still there after HVR_SHUTDOWN_KILL_MS, once. */
typedef void (*HvrShutdownStuck)(gpointer user_data);
void hvr_shutdown_watch(HvrShutdown *shutdown, HvrShutdownStuck stuck, gpointer user_data);

/**
 * hvr_shutdown_begin - start with the power-down, or with quit where that has no time. A QEMU that
 * a signal has stopped (SIGSTOP) is continued for it.
 * Under way already: a stage that would last longer than this is cut short, and none gets longer.
 */
void hvr_shutdown_begin(HvrShutdown *shutdown, const HvrShutdownTimes *times);

/* The next stage now. */
void hvr_shutdown_hurry(HvrShutdown *shutdown);

HvrShutdownStage hvr_shutdown_stage(const HvrShutdown *shutdown);

/* A stage as it is called between processes: "powerdown", "quit", "kill"; NULL: none was needed. */
const char *hvr_shutdown_word(HvrShutdownStage stage);
/* Turns that back; HVR_SHUTDOWN_NONE for any other word, and for NULL. */
HvrShutdownStage hvr_shutdown_of_word(const char *word);
