/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/qemu/serial-ends.h"

/**
 * HvrSerialHub - a VM's serial port, held by its supervisor whatever its profile does with it. What
 * the guest says is always read, and goes to
 *
 *   the record      serial.log, of which begin and end are kept (launcher/report/log-file.h)
 *   listeners       those in this process who look for something in it
 *   clients         whoever connects to serial.sock, or to console.sock, where the last lines of
 *                   the record come first. One that does not read loses bytes, and is told
 *   the foreground  of `run`, which loses none: while it does not read, the guest waits, for as
 *                   long as the foreground has patience; then it is as another client until it has
 *                   read all that was held for it
 *
 * and what clients and the foreground type goes to the guest, all of it, as it comes.
 *
 * Attached to the default main context, where all else comes before what the guest says: it may say
 * as much as it likes.
 */
typedef struct HvrSerialHub HvrSerialHub;

/* How many clients there are at most; who comes then is told so. */
#define HVR_SERIAL_CLIENTS_MOST 64

/**
 * hvr_serial_hub_new - begin to read.
 * @ends: taken, and all of it NONE afterwards
 * @copy: open for appending: a second record, which stays the caller's; -1: none
 */
HvrSerialHub *hvr_serial_hub_new(HvrSerialEnds *ends, int copy) G_GNUC_WARN_UNUSED_RESULT;

/* Reads what QEMU has left in the port, for the record, and lets all clients go. NULL is accepted.
 */
void hvr_serial_hub_free(HvrSerialHub *hub);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HvrSerialHub, hvr_serial_hub_free)

/* What the guest says, as it comes; no NUL is in it. May not free the hub, nor end its listening.
 */
typedef void (*HvrSerialHeard)(const char *bytes, gsize length, gpointer user_data);

/* From now on, until hvr_serial_hub_unhear() with the same two. */
void hvr_serial_hub_hear(HvrSerialHub *hub, HvrSerialHeard heard, gpointer user_data);
void hvr_serial_hub_unhear(HvrSerialHub *hub, HvrSerialHeard heard, gpointer user_data);

/**
 * hvr_serial_hub_join - the foreground's end of the port.
 * @patience_ms: as of HvrSerialClientStart
 * Returns: a connected stream socket, which the caller closes; -1 with errno
 */
int hvr_serial_hub_join(HvrSerialHub *hub, guint patience_ms) G_GNUC_WARN_UNUSED_RESULT;

/* What the guest has said is passed on, as far as the foreground takes it now; at the port's end
 * the foreground sees an end, too. For whoever does not run the main loop any more. */
void hvr_serial_hub_feed(gpointer hub);

/* HvrSerialEnds.file, which stays the hub's. */
int hvr_serial_hub_file(const HvrSerialHub *hub);

/* How much the guest has said by now, in bytes. */
guint64 hvr_serial_hub_heard(const HvrSerialHub *hub);
