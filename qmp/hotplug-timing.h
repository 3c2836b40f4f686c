/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/hotplug.h"

/**
 * HvrQmpUnplugTiming - the waits of an unplug that are QEMU's nature and not the caller's wish.
 * Private to qmp/ and its tests, which cannot spend seconds on each case.
 */
typedef struct {
	guint repeat_ms;  /* from one device_del to the next */
	guint leaving_ms; /* from "no such device" to its DEVICE_DELETED */
} HvrQmpUnplugTiming;

/* As hvr_qmp_unplug_start(), with other waits; @timing is copied. */
void hvr_qmp_unplug_start_timed(HvrQmpClient *client, const char *id, guint timeout_ms,
				const HvrQmpUnplugTiming *timing, HvrQmpUnplugged done,
				gpointer user_data);
