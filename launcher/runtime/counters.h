/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/runtime/context.h"

/* How often something happened to a card, ever: below /var/lib/hailo-vm-run, over boots. Counted by
 * root's commands alone; of the cards that were first, if there are more than a host has. */

typedef enum {
	HVR_COUNTER_USES,     /* it was taken for a VM, or prepared for one */
	HVR_COUNTER_FAILURES, /* it could not be taken, or not be given back */
	HVR_N_COUNTERS,
} HvrCounter;

typedef struct {
	char *path, *id; /* the card, as HvrHold has it */
	guint64 values[HVR_N_COUNTERS];
} HvrCounters;

#define HVR_COUNTERS_CARDS_MAX 256

/* Array of HvrCounters, sorted; empty where there are none. [transfer full] */
GPtrArray *hvr_counters_read(const HvrContext *context) G_GNUC_WARN_UNUSED_RESULT;

/**
 * hvr_counters_add - one more. Two at once are both counted, and a crash leaves the old count or
 * the new one.
 * Errors: of hvr_lasting_open(), G_IO_ERROR
 */
gboolean hvr_counters_add(const HvrContext *context, const char *path, const char *id,
			  HvrCounter counter, GError **error);
