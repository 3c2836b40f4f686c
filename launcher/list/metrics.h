/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/list/list.h"

/* What is told beside the cards. */
typedef struct {
	const GPtrArray *items;	   /* of HvrListItem */
	const GPtrArray *counters; /* of HvrCounters; also of cards that are not there */
	guint waiting;		   /* processes in the queue for cards */
	guint missing;		   /* holds of cards that are not there */
	guint vms;		   /* that run */
} HvrMetrics;

/**
 * hvr_metrics_text - OpenMetrics 1.0 text, with "# EOF". Gauges and counters alone, as the textfile
 * collector of node_exporter, whose parser is that of Prometheus' own format, refuses other types.
 * A card is in one state: the first that is true of held, dead, in_use (a VM), busy (a process of
 * the host), not_given_back, unknown, free. Pure. [transfer full]
 */
char *hvr_metrics_text(const HvrMetrics *metrics) G_GNUC_WARN_UNUSED_RESULT;
