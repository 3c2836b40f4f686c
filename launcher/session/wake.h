/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

#include "launcher/session/session.h"
#include "qmp/agent.h"

/* Told once, never from inside hvr_wake_begin(). */
typedef void (*HvrWakeDone)(gpointer user_data);

/* A guest that goes on is told what has changed meanwhile: see below. */
typedef struct {
	HvrSession *session;
	HvrAgent *agent; /* NULL: it is over */
	guint step;
	gint64 handle; /* of the guest's open file */
	guint idle;
	HvrWakeDone done;
	gpointer user_data;
} HvrWake;

/**
 * hvr_wake_begin - by the guest's agent: set its clock, and stir its random numbers with some of
 * ours (the device vmgenid has a newer kernel do that, too). An agent that does not want one of
 * these is let be, and told of; it is no error.
 * @wake: its memory must outlive the session
 */
void hvr_wake_begin(HvrWake *wake, HvrSession *session, HvrWakeDone done, gpointer user_data);

/* Nobody is told any more. Of one that was never begun (all 0) nothing is to be ended. */
void hvr_wake_end(HvrWake *wake);
