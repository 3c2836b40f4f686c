/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/host/facts.h"
#include "launcher/host/plan.h"
#include "launcher/parts/part.h"
#include "launcher/profile/profile.h"
#include "launcher/runtime/context.h"

/* What a guest is that may be saved. All is borrowed. */
typedef struct {
	const HvrContext *context;
	const HvrProfile *profile;
	const HvrFacts *facts;
	const HvrParts *parts;
	const HvrPlan *plan;   /* of the VM without its cards */
	const GPtrArray *roms; /* of char *: the folders in which QEMU looks for firmware */
} HvrWarmGuest;

/**
 * hvr_warm_check - could this guest be saved, and begin again from there any number of times?
 * Not with what QEMU cannot save (nvme, 9p, virtiofs), nor what it is told itself by [qemu] args;
 * not where the guest's writes are to stay: each start begins where it was saved. Changes nothing.
 * Errors: HVR_LAUNCH_ERROR_UNAVAILABLE
 */
gboolean hvr_warm_check(const HvrWarmGuest *guest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_warm_describe - all that a saved guest depends on, a line for each: "WHAT: VALUE".
 *
 * This program's version; QEMU, by its bytes; the host's CPU and kernel where the guest runs on
 * them; the VM's user; every word of QEMU's command line but the VM's name and what differs between
 * two starts of the same VM (descriptors, ports that are chosen); and each file: kernel, initrd,
 * all images with what is behind them, what cloud-init is told; and firmware and ROMs, also those
 * that QEMU loads unasked.
 * Errors: of hvr_warm_check(); what cannot be read
 */
char *hvr_warm_describe(const HvrWarmGuest *guest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The name of a state: SHA-256 of @about, 64 hexadecimal digits. [transfer full] */
char *hvr_warm_key(const char *about) G_GNUC_WARN_UNUSED_RESULT;

/* What differs between two guests, by the first line that does: "cpus" or the like, as text for a
 * person. [transfer full] */
char *hvr_warm_difference(const char *before, const char *now) G_GNUC_WARN_UNUSED_RESULT;
