/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

/**
 * HvrEvents - `run --events`: one JSON object a line for each step of a run, for rigs.
 *
 *   {"event":"bound","ms":81234,"vm":"lab","device":"npu","address":"0000:02:00.0"}
 *
 * "ms" is CLOCK_MONOTONIC. In the order in which they come, and with what beside these keys:
 * planned (functions), bound (device, address), prepared, started (pid), running (pid), ready,
 * unplugged and plugged (device, address), ended (status or signal), released (error, or null).
 * More may join. A reader that does not keep up loses lines, never holds the VM up: the next line
 * then has "lost", how many.
 */
typedef struct HvrEvents HvrEvents;

/**
 * hvr_events_open - where they go.
 * @where: a number is an open descriptor, of which a copy is kept; all else a file to append to,
 *   which may be a FIFO that somebody reads
 * @vm: its name
 * Errors: HVR_LAUNCH_ERROR_USAGE
 */
HvrEvents *hvr_events_open(const char *where, const char *vm,
			   GError **error) G_GNUC_WARN_UNUSED_RESULT;
void hvr_events_free(HvrEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrEvents, hvr_events_free)

/* One step, and perhaps one text to it: @key may be NULL, as may @text, which then is null. Nothing
 * happens when @events is NULL: nobody asked. */
void hvr_events_tell(HvrEvents *events, const char *event, const char *key, const char *text);

/* One step of a device. @device is NULL for a function that only comes along. */
void hvr_events_tell_device(HvrEvents *events, const char *event, const char *device,
			    const char *address);

/* One step with a number. */
void hvr_events_tell_number(HvrEvents *events, const char *event, const char *key, gint64 number);
