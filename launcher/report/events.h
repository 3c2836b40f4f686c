/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/**
 * HvrEvents - `run --events`: one JSON object a line for each step of a run, for rigs.
 *
 *   {"event":"bound","ms":81234,"vm":"lab","device":"npu","address":"0000:02:00.0"}
 *
 * "ms" is CLOCK_MONOTONIC. In the order in which they come, and with what beside these keys:
 * waiting (address, holder, pid, cause: which card, and who has it), planned (functions), bound
 * (device, address), prepared, started (pid, and where there are any forward: as in a profile, with
 * the ports as they are, one blank between; screen), running (pid), ready, panicked, unplugged and
 * plugged (device, address), ended (status or signal), released (error, or null); last of all of
 * `test`: result (class, code, where, cause, hint: launcher/guest/outcome.h). More may join. A
 * reader that does not keep up loses lines, never holds the VM up: the next line then has "lost",
 * how many.
 */
typedef struct HvrEvents HvrEvents;

/**
 * hvr_events_new - where they go.
 * @fd: (transfer full): open for writing; a file's is O_APPEND, a FIFO's best O_NONBLOCK. -1: to
 *	nobody
 * @vm: (nullable): its name; NULL: it is not known yet
 */
HvrEvents *hvr_events_new(int fd, const char *vm) G_GNUC_WARN_UNUSED_RESULT;
void hvr_events_free(HvrEvents *events);

/* Each line also goes to @fd, a file, which stays the caller's. -1: no more. NULL events are
 * accepted. */
void hvr_events_copy(HvrEvents *events, int fd);

/* What is told goes to a copy of @fd, which stays the caller's. */
void hvr_events_set_original(HvrEvents *events, int fd);

/* In one of several processes that have @events: nothing more is told here, and what was open for
 * that is closed, the original, too: whoever reads it is to see its end. NULL events are accepted.
 */
void hvr_events_leave(HvrEvents *events);

/* Does a terminal get them? FALSE where events is NULL. */
gboolean hvr_events_are_shown(const HvrEvents *events);

/* The name of the last event, of whichever process that has @events, as it was before a fork or
 * behind it; "" before the first. */
const char *hvr_events_last(const HvrEvents *events);

/* The VM's name, where it was not known yet. NULL events are accepted. */
void hvr_events_set_vm(HvrEvents *events, const char *vm);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrEvents, hvr_events_free)

/* One step, and perhaps one text to it: @key may be NULL, as may @text, which then is null. Nothing
 * happens when @events is NULL: nobody asked. */
void hvr_events_tell(HvrEvents *events, const char *event, const char *key, const char *text);

/* One step of a device. @device is NULL for a function that only comes along. */
void hvr_events_tell_device(HvrEvents *events, const char *event, const char *device,
			    const char *address);

/* One step with members of its own: texts are cut as all others are, numbers stay.
 * @members: (transfer full) */
void hvr_events_tell_object(HvrEvents *events, const char *event, JsonObject *members);

/* One step with a number. */
void hvr_events_tell_number(HvrEvents *events, const char *event, const char *key, gint64 number);
