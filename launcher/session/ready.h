/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/session.h"

/**
 * HvrReadiness - watches for the moment at which the guest is ready, as [guest] ready says:
 *
 *   agent           qemu-guest-agent answers
 *   serial:PATTERN  a line of the serial port matches, also one that has no end yet
 *   tcp:PORT        a server in the guest answers behind that forwarded port: it speaks first, or
 *                   closes when told that no more comes. That a connection is accepted means
 *                   nothing, since QEMU itself accepts it
 */
typedef struct HvrReadiness HvrReadiness;

/* Told once. */
typedef void (*HvrReadyReached)(gpointer user_data);

/* Starts to watch; the session has its profile. NULL where nothing is to be watched for. */
HvrReadiness *hvr_readiness_new(HvrSession *session, HvrReadyReached reached, gpointer user_data);
void hvr_readiness_free(HvrReadiness *readiness);
